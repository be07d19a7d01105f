import { mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { JobContext } from 'muster';

/** The last sign that an endless job gave of itself, written by the job into its node's directory. */
export interface Beat {
  readonly ref: string;
  readonly job: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Milliseconds between two signs of a job, if it is given the processor. */
const every = 5;

function beatsDir(dataDir: string): string {
  return join(dataDir, 'beats');
}

/** What a job calls again and again as long as it runs. */
export function startBeating({ dataDir, ref }: JobContext, job: string): () => void {
  mkdirSync(beatsDir(dataDir), { recursive: true });
  const file = openSync(join(beatsDir(dataDir), ref), 'w');
  let last = 0;
  return () => {
    const now = Date.now();
    if (now - last < every) return;
    last = now;
    writeSync(file, `${job} ${process.pid} ${now}\n`, 0);
  };
}

/** The signs of all jobs of one coordinator on one node: references begin with who cast them. */
export function readBeats(dataDir: string, incarnation: string): Beat[] {
  const refs = names(beatsDir(dataDir)).filter((name) => name.startsWith(incarnation));
  return refs.flatMap((ref) => {
    const [job = '', pid, at] = readFileSync(join(beatsDir(dataDir), ref), 'utf8')
      .trim()
      .split(' ');
    return at === undefined ? [] : [{ ref, job, pid: Number(pid), at: Number(at) }];
  });
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return []; // Before the first job there is no directory.
  }
}
