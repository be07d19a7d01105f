import type { Trace } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import type { Facts, Log } from '../log/log.ts';
import type { Job } from './job.ts';

type Level = Parameters<Log['has']>[0];

/** What of a node's history is worth a line of its log. */
const told: ReadonlyMap<string, readonly [Level, string]> = new Map([
  ['session-opened', ['info', 'a coordinator has opened a session']],
  ['session-ended', ['info', 'a session has ended']],
  ['session-resumed', ['info', 'a session goes on over another link']],
  ['session-gone', ['debug', 'nothing of a session is left']],
  ['link-broke', ['info', 'the link of a session is lost, and may come back']],
  ['link-ended', ['debug', 'a link has ended']],
  ['operator', ['info', 'an operator has changed something']],
  ['fence', ['info', 'a coordinator has ended: nothing of its incarnation runs here any more']],
  ['start', ['debug', 'a job begins']],
  ['exit', ['info', 'a job has failed']],
]);

const codec = new ValueCodec();

/** A line about an event of the node's history. */
export function recordEvent(log: Log, event: string, facts: Facts): void {
  const [level, sentence] = told.get(event) ?? [];
  if (level === undefined || sentence === undefined || !log.has(level)) return;
  const { trace, ...rest } = facts as { trace?: Trace };
  log.write(level, sentence, { ...rest, ...traceFacts(trace) });
}

/** Lines that a job has said. They were guarded, but not read: what they are is the job's affair. */
export function recordLines(log: Log, { task, entry }: Job, lines: readonly Uint8Array[]): void {
  if (lines.length === 0 || !log.has('info')) return;
  const about = { job: entry.name, ref: task.ref, ...traceFacts(task.trace) };
  for (const line of lines) {
    const { message, fields } = lineOf(line);
    log.write('info', String(message), { ...about, fields });
  }
}

/** User code shares the executor, so a line may be any value. */
function lineOf(packed: Uint8Array): { readonly message: unknown; readonly fields?: unknown } {
  try {
    const line = codec.unpack(packed) as { message?: unknown; fields?: unknown } | undefined;
    return typeof line?.message === 'string' ? { message: line.message, fields: line.fields } : noLine;
  } catch {
    return noLine;
  }
}

const noLine = { message: 'the job has said what is no line' };

function traceFacts(trace: Trace | undefined): Facts {
  if (trace === undefined) return {};
  return { trace: trace.traceparent, tracestate: trace.tracestate, correlationId: trace.correlationId };
}
