// @ts-check
import { availableParallelism } from 'node:os';

/** Says what goes on, where it disturbs no result. @param {string} line */
export function progress(line) {
  process.stderr.write(`${line}\n`);
}

/** @param {string} bench @param {readonly import('./compare.mjs').Result[]} results */
export function asJson(bench, results) {
  const rounded = (/** @type {string} */ _key, /** @type {unknown} */ value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  const { version: node } = process;
  return JSON.stringify(
    { bench, date: new Date().toISOString(), node, cores: availableParallelism(), results },
    rounded,
  );
}

/** @param {readonly import('./compare.mjs').Result[]} results */
export function asTable(results) {
  const lines = [['result', 'median', 'min', 'max', 'unit', 'beside it', 'median', 'ratio']];
  for (const { name, value, min, max, unit, yardstick, ratio, others = [] } of results) {
    const beside = yardstick === undefined ? [] : [{ ...yardstick, ratio: ratio ?? Number.NaN }, ...others];
    const [first, ...rest] = beside.map((one) => [one.name, figure(one.value), `${one.ratio.toFixed(2)}x`]);
    lines.push([name, figure(value), figure(min), figure(max), unit, ...(first ?? ['', '', ''])]);
    for (const other of rest) lines.push(['', '', '', '', '', ...other]);
  }
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const left = new Set([0, 4, 5]);
  const pad = (/** @type {string} */ cell, /** @type {number} */ i) =>
    left.has(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  const text = lines.map((line) => line.map(pad).join('  ').trimEnd());
  text.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return text.join('\n');
}

const barWidth = 48;

/** Bars of each result and what is beside it, on a scale of its own. @param {readonly import('./compare.mjs').Result[]} results */
export function asChart(results) {
  const width = Math.max(
    ...results
      .flatMap(({ yardstick, others = [] }) => ['Muster', yardstick?.name ?? '', ...others.map(({ name }) => name)])
      .map(({ length }) => length),
  );
  return results.map((result) => chartOf(result, width)).join('\n\n');
}

/** @param {import('./compare.mjs').Result} result @param {number} width */
function chartOf({ name, value, unit, yardstick, others = [] }, width) {
  const bars = [{ name: 'Muster', value }, ...(yardstick === undefined ? [] : [yardstick]), ...others];
  const most = Math.max(...bars.map((bar) => bar.value));
  const rows = bars.map(
    (bar) => `  ${bar.name.padEnd(width)} ${barOf(most > 0 ? bar.value / most : 0)} ${figure(bar.value)}`,
  );
  return [`${name}, ${unit}`, ...rows].join('\n');
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** @param {number} share */
function barOf(share) {
  const parts = Math.max(1, Math.round(share * barWidth * 8));
  return '█'.repeat(Math.floor(parts / 8)) + eighths[parts % 8];
}

/** @param {number} value */
function figure(value) {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
