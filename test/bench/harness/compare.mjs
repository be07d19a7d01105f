// @ts-check
import { median, summary } from './figures.mjs';
import { profiling } from './profiles.mjs';
import { progress } from './report.mjs';

/**
 * A figure of a measurement and what it is called. `better` is what a ratio of at least 1 means.
 * @typedef {{ readonly name: string, readonly figure: string, readonly unit: string, readonly better: 'higher' | 'lower' }} Wanted
 */

/** @typedef {{ readonly name: string, readonly value: number, readonly min: number, readonly max: number, readonly ratio: number }} Yardstick */

/**
 * @typedef {{
 *   readonly name: string,
 *   readonly unit: string,
 *   readonly value: number,
 *   readonly min: number,
 *   readonly max: number,
 *   readonly yardstick?: Omit<Yardstick, 'ratio'>,
 *   readonly ratio?: number,
 *   readonly others?: readonly Yardstick[],
 * }} Result
 */

/**
 * Measures all sides in turn, round by round, after rounds that do not count, the same for all of them. The first side is ours; the second
 * is the yardstick, and the others are told beside it.
 * @param {object} options
 * @param {string} options.label
 * @param {readonly (readonly [import('./side.mjs').Side, object])[]} options.sides each with what it is asked for
 * @param {readonly Wanted[]} options.wanted
 * @param {number} options.rounds
 * @param {number} [options.warmUp] rounds that do not count; by default one
 * @returns {Promise<Result[]>}
 */
export async function compare({ label, sides, wanted, rounds, warmUp = 1 }) {
  progress(`${label}: warm-up`);
  for (let round = 0; round < warmUp; round += 1) for (const [side, order] of sides) await side.measure(order);
  /** @type {import('./side.mjs').Figures[][]} */
  const table = sides.map(() => []);
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${label}: round ${round} of ${rounds}`);
    for (const [i, [side, order]] of sides.entries()) table[i]?.push(await side.measure(order));
  }
  const [ours] = sides;
  if (profiling() && ours !== undefined) await ours[0].profile(label, ours[1]);
  const names = sides.map(([{ name }]) => name);
  return wanted.map((one) => result(one, names, table));
}

/**
 * @param {Wanted} wanted
 * @param {readonly string[]} names
 * @param {readonly (readonly import('./side.mjs').Figures[])[]} table
 * @returns {Result}
 */
function result({ name, figure, unit, better }, names, table) {
  const [ours = [], ...others] = table.map((figures) => figures.map((one) => one[figure] ?? Number.NaN));
  const yardsticks = others.map((theirs, i) => {
    const ratios = theirs.map((their, round) =>
      better === 'higher' ? (ours[round] ?? 0) / their : their / (ours[round] ?? 0),
    );
    return { name: names[i + 1] ?? '', ...summary(theirs), ratio: median(ratios) };
  });
  const [first, ...rest] = yardsticks;
  if (first === undefined) return { name, unit, ...summary(ours) };
  const { ratio, ...yardstick } = first;
  return { name, unit, ...summary(ours), yardstick, ratio, ...(rest.length > 0 && { others: rest }) };
}
