import type { HistoryEvent } from '../history/history.ts';
import type { Chronicle } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

/** What a caller asked for, and what it got. */
interface Request {
  readonly asked: HistoryEvent;
  /** The number of the next row of each reference. */
  readonly next: Map<string, number>;
  rows: number;
  highest: number;
  answered: HistoryEvent | undefined;
}

function follow(chronicle: Chronicle, look: (request: Request, event: HistoryEvent) => string | undefined): Finding[] {
  const requests = new Map<unknown, Request>();
  const findings: Finding[] = [];
  for (const event of chronicle.events) {
    if (event.on !== 'caller') continue;
    if (event.event === 'asked') {
      requests.set(event['request'], { asked: event, next: new Map(), rows: 0, highest: -1, answered: undefined });
      continue;
    }
    const request = requests.get(event['request']);
    if (request === undefined) continue;
    const what = look(request, event);
    const name = `Request ${String(event['request'])} (${String(request.asked['kind'])})`;
    if (what !== undefined) findings.push({ at: msOf(event), what: `${name} ${what}` });
    if (event.event === 'answered') request.answered = event;
  }
  return findings;
}

/** The rows of each part are a prefix of those that one job of it has made: in order, none missing, none twice; and all of them when the request is complete. */
export function rowsArePrefix(chronicle: Chronicle): Finding[] {
  return follow(chronicle, (request, event) => {
    const { next, asked } = request;
    if (event.event === 'answered') return incomplete(request, event);
    if (event.event !== 'row') return undefined;
    const ref = event.ref ?? '';
    const n = Number(event['n']);
    const due = next.get(ref) ?? 0;
    next.set(ref, due + 1);
    request.rows += 1;
    if (n !== due) return `got row ${n} of ${ref} where row ${due} was next.`;
    if (next.size > Number(asked['parts']))
      return `got rows of ${next.size} jobs for ${String(asked['parts'])} parts: ${ref} gave its part again.`;
    if (asked['merged'] === true && n < request.highest) return `got row ${n} behind row ${request.highest}.`;
    request.highest = n;
    return undefined;
  });
}

function incomplete({ asked, next, rows }: Request, event: HistoryEvent): string | undefined {
  const partial = asked['kind'] === 'partial';
  if (event['how'] !== 'complete' || partial) return undefined;
  const count = Number(asked['count']);
  const short = [...next].find(([, got]) => got !== count && Number(asked['parts']) > 1);
  if (short !== undefined) return `is complete with ${short[1]} of ${count} rows of ${short[0]}.`;
  const all = Number(asked['parts']) * count;
  return rows === all || asked['limited'] === true ? undefined : `is complete with ${rows} rows of ${all}.`;
}

/** Nothing comes after the end: no row of an answered request, no second answer, no row of a job that is over. */
export function nothingAfterTheEnd(chronicle: Chronicle): Finding[] {
  const callers = follow(chronicle, ({ answered }, event) =>
    answered === undefined ? undefined : `got another ${event.event} after its answer.`,
  );
  const over = new Set<string>();
  const jobs: Finding[] = [];
  for (const event of chronicle.events) {
    if (event.event === 'job-over') over.add(event.ref ?? '');
    else if (event.event === 'job-rows' && over.has(event.ref ?? '')) {
      jobs.push({ at: msOf(event), what: `${event.ref} made rows after its end.` });
    }
  }
  return [...callers, ...jobs];
}

/** What one stream has made, and what was granted to it. */
interface Ledger {
  window: { readonly rows: number; readonly bytes: number };
  sent: { rows: number; bytes: number };
  credited: { readonly rows: number; readonly bytes: number };
}

/** Rows and bytes that are not acked never exceed the window (one row may exceed the bytes alone). */
export function windowHeld(chronicle: Chronicle): Finding[] {
  const findings: Finding[] = [];
  const none = { rows: 0, bytes: 0 };
  const streams = new Map<string, Ledger>();
  for (const event of chronicle.events) {
    const { ref = '' } = event;
    const rows = Number(event['rows']);
    const bytes = Number(event['bytes']);
    if (event.event === 'job-start') streams.set(ref, { window: { rows, bytes }, sent: { ...none }, credited: none });
    const stream = streams.get(ref);
    if (stream === undefined) continue;
    if (event.event === 'job-credit') stream.credited = { rows, bytes };
    if (event.event !== 'job-rows') continue;
    const { sent, credited, window } = stream;
    sent.rows += Number(event['count']);
    sent.bytes += bytes;
    const open = { rows: sent.rows - credited.rows, bytes: sent.bytes - credited.bytes };
    if (open.rows > window.rows || (open.bytes > window.bytes && open.rows > 1)) {
      findings.push({
        at: msOf(event),
        what: `${ref} has ${open.rows} rows and ${open.bytes} bytes open in a window of ${window.rows} and ${window.bytes}.`,
      });
    }
  }
  return findings;
}

/** The window that a coordinator grants is the one of its constants, and no larger. */
export function windowGranted(chronicle: Chronicle): Finding[] {
  const { windowRows, windowBytes } = chronicle.constants;
  return chronicle
    .named('job-start')
    .filter((event) => Number(event['rows']) > windowRows || Number(event['bytes']) > windowBytes)
    .map((event) => ({
      at: msOf(event),
      what: `${event.ref} was granted ${String(event['rows'])} rows and ${String(event['bytes'])} bytes, more than ${windowRows} and ${windowBytes}.`,
    }));
}

/** Only what a consumer has taken is acked. */
export function ackedWasDelivered(chronicle: Chronicle): Finding[] {
  const findings: Finding[] = [];
  const delivered = new Map<string, number>();
  for (const event of chronicle.events) {
    const { ref = '' } = event;
    if (event.event === 'row') delivered.set(ref, (delivered.get(ref) ?? 0) + 1);
    else if (event.event === 'job-credit' && Number(event['rows']) > (delivered.get(ref) ?? 0)) {
      findings.push({
        at: msOf(event),
        what: `${ref} was credited ${String(event['rows'])} rows when ${delivered.get(ref) ?? 0} had been delivered.`,
      });
    }
  }
  return findings;
}
