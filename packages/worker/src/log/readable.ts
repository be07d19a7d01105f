import { escaped } from '../executor/one-line.ts';

/** What every line has, in the order in which it is written in front of the rest. */
const known: ReadonlySet<string> = new Set(['level', 'time', 'node', 'msg']);

/** A line of the log for people: `12:00:00.000 info  a: counted job=count ref=… files=3`. */
export function readable(line: Readonly<Record<string, unknown>>): string {
  const { level, time, node, msg } = line;
  const facts = Object.entries(line).flatMap(([name, value]) => (known.has(name) ? [] : `${name}=${said(value)}`));
  return escaped(
    [timeOfDay(Number(time)), String(level).padEnd(5), `${String(node)}: ${String(msg)}`, ...facts].join(' '),
  );
}

/** `hh:mm:ss.mmm`, UTC. */
function timeOfDay(time: number): string {
  const ms = Math.floor(time) % 86_400_000;
  const parts = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1_000) % 60];
  const [h, m, s] = parts.map((part) => String(Math.floor(part)).padStart(2, '0'));
  return `${h}:${m}:${s}.${String(ms % 1_000).padStart(3, '0')}`;
}

/** A text without blanks as it is, anything else as JSON. */
function said(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
