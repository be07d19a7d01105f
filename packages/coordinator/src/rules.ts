import type { ErrorContext } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import { types } from 'node:util';

/** What a value has to be, as a test and in words. */
export interface Rule {
  readonly holds: (value: unknown) => boolean;
  readonly is: string;
}

/** A rule for each option that there is: an option without one does not compile, one that is not here is unknown. */
export type Rules<Options> = { readonly [Name in keyof Required<Options>]: Rule };

export const aFunction: Rule = { holds: (value) => typeof value === 'function', is: 'a function' };
export const aText: Rule = { holds: (value) => typeof value === 'string' && value !== '', is: 'a text' };
export const aSwitch: Rule = { holds: (value) => typeof value === 'boolean', is: 'true or false' };
export const anObject: Rule = { holds: isObject, is: 'an object' };
export const anything: Rule = { holds: () => true, is: 'anything' };

export function oneOf(...values: readonly string[]): Rule {
  return { holds: (value) => values.includes(value as string), is: values.map((value) => `'${value}'`).join(' or ') };
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the options are of, for the sentence: "There is no option … for call". */
export interface Subject {
  readonly of: string;
  /** What names are prefixed with: `merge.`. */
  readonly within?: string;
  readonly context?: ErrorContext;
}

/**
 * Options against their rules, before anything is done with them. One that is undefined is as good as absent.
 * @throws ClusterError `bad_options` with the option's name, and what it has to be.
 */
export function checkOptions(options: unknown, rules: Readonly<Record<string, Rule>>, subject: Subject): void {
  const { of, within = '', context = {} } = subject;
  if (!isObject(options))
    throw new ClusterError('bad_options', `The options of ${of} are an object, not ${shown(options)}.`, context);
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) throw unknown(name, Object.keys(rules), subject);
    if (value !== undefined && !rule.holds(value))
      throw new ClusterError('bad_options', `${within}${name} is ${rule.is}, not ${shown(value)}.`, context);
  }
}

function unknown(name: string, names: readonly string[], { of, within = '', context = {} }: Subject): ClusterError {
  const near = names
    .map((known) => ({ known, far: distance(name.toLowerCase(), known.toLowerCase()) }))
    .filter(({ known, far }) => far <= Math.max(1, Math.floor(known.length / 3)))
    .sort((a, b) => a.far - b.far)[0]?.known;
  const known = names.map((each) => within + each).join(', ');
  const rest = near === undefined ? `there are ${known}.` : `did you mean "${within}${near}"? There are ${known}.`;
  return new ClusterError('bad_options', `There is no option "${within}${name}" for ${of}; ${rest}`, context);
}

/** A value in a sentence, short whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  if (types.isDate(value)) return String(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** How many letters have to be put in, left out, changed or swapped with their neighbour to get from one to the other. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const change = (row[j - 1] ?? 0) + Number(from[i - 1] !== to[j - 1]);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change, swap));
    }
    [before, row] = [row, next];
  }
  return row[to.length] ?? 0;
}
