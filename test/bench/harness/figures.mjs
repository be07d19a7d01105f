// @ts-check

/** @param {readonly number[]} values */
export function median(values) {
  return quantile(values, 0.5);
}

/** Linear between neighbours. @param {readonly number[]} values @param {number} q */
export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at % 1);
}

/** @param {readonly number[]} values */
export function summary(values) {
  return { value: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Calls `work` again and again for `ms` milliseconds, `inFlight` at a time.
 * @param {number} ms
 * @param {number} inFlight
 * @param {() => Promise<unknown>} work
 * @returns {Promise<{ rate: number, p50: number, p99: number }>} per second, and milliseconds
 */
export async function repeat(ms, inFlight, work) {
  /** @type {number[]} */
  const times = [];
  const began = performance.now();
  const end = began + ms;
  const loop = async () => {
    for (let now = performance.now(); now < end;) {
      await work();
      const then = performance.now();
      times.push(then - now);
      now = then;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const seconds = (performance.now() - began) / 1000;
  return { rate: times.length / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}
