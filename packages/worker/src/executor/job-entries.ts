import { mostListed } from '@muster/rexi';
import { BadWord } from './bad-word.ts';
import type { JobEntry } from './executor.ts';

/** Bytes of a name: what a cast can say. */
const longestName = 128;

/**
 * The table of jobs as an executor tells it, which has run the user's module by then: what a session would have to say of
 * it must fit.
 * @throws BadWord
 */
export function readEntries(json: string): JobEntry[] {
  const entries = parsed(json);
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw new BadWord('a table of jobs that is none');
  if (entries.length > mostListed) throw new BadWord(`a table of ${entries.length} jobs; the limit is ${mostListed}`);
  return entries;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is JobEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { name, stream, isolation, lane } = value as Partial<Record<keyof JobEntry, unknown>>;
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > longestName) return false;
  return (
    typeof stream === 'boolean' && (isolation === 'shared' || isolation === 'exclusive') && typeof lane === 'string'
  );
}
