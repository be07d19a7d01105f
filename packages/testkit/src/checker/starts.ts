import type { Chronicle } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

/** A reference starts at most once, over all nodes, incarnations and reconnects. */
export function startsOnce({ jobs }: Chronicle): Finding[] {
  return [...jobs.values()]
    .filter(({ begun }) => begun.length > 1)
    .map(({ ref, begun, node }) => ({
      at: begun[1] ?? 0,
      what: `${ref} was started ${begun.length} times, first at ${node}.`,
    }));
}

/** Nothing of an incarnation starts at a node that has fenced it. */
export function noStartAfterFence(chronicle: Chronicle): Finding[] {
  const fences = new Map<string, number>();
  for (const event of chronicle.named('fence')) {
    const key = `${String(event['life'])} ${event.incarnation}`;
    if (!fences.has(key)) fences.set(key, msOf(event));
  }
  return chronicle.named('job-begun').flatMap((event) => {
    const [incarnation] = (event.ref ?? '').split('-');
    const fenced = fences.get(`${String(event['life'])} ${incarnation}`);
    if (fenced === undefined || msOf(event) <= fenced) return [];
    return [
      {
        at: msOf(event),
        what: `${event.ref} started at ${event.on}, which had fenced its incarnation at ${fenced.toFixed(1)} ms.`,
      },
    ];
  });
}

/** Nothing of a coordinator starts at a node that has ended its session, until another one is open there. */
export function noStartAfterSession(chronicle: Chronicle): Finding[] {
  const open = new Map<string, boolean>();
  return chronicle.events.flatMap((event) => {
    const of = event.event === 'job-begun' ? (event.ref ?? '').split('-')[0] : event.incarnation;
    const key = `${String(event['life'])} ${of}`;
    if (event.event === 'session-opened') open.set(key, true);
    if (event.event === 'session-ended') open.set(key, false);
    if (event.event !== 'job-begun' || open.get(key) !== false) return [];
    return [{ at: msOf(event), what: `${event.ref} started at ${event.on}, whose session with it had ended.` }];
  });
}

/** A job is cast before it starts, and its guardian knew its counter before it was cast. */
export function registeredBeforeCast(chronicle: Chronicle): Finding[] {
  const findings: Finding[] = [];
  const registered = new Map<string, number>();
  for (const event of chronicle.events) {
    if (event.event === 'guardian-registered') {
      const incarnation = String(event.incarnation);
      registered.set(incarnation, Math.max(registered.get(incarnation) ?? 0, Number(event['to'])));
    }
    if (event.event !== 'cast') continue;
    for (const ref of event.refs ?? []) {
      const counter = Number.parseInt(ref.split('-')[1] ?? '', 16);
      if (counter <= (registered.get(String(event.incarnation)) ?? 0)) continue;
      findings.push({ at: msOf(event), what: `${ref} was cast before its guardian had said that it knows it.` });
    }
  }
  return findings;
}

/** Every cast ends in exactly one of value, last, exit and down, unless its own coordinator has given it up. */
export function oneEnd(chronicle: Chronicle): Finding[] {
  const findings: Finding[] = [];
  const open = new Map<string, string>();
  const ended = new Map<string, string>();
  for (const event of chronicle.events) {
    const refs = event.event === 'cast' || event.event === 'kill' ? (event.refs ?? []) : [event.ref ?? ''];
    if (event.event === 'cast') for (const ref of refs) open.set(ref, `${String(event['life'])} ${event.incarnation}`);
    else if (event.event === 'ended' || event.event === 'kill' || event.event === 'cancel') {
      for (const ref of refs) {
        const before = ended.get(ref);
        const how = event.event === 'ended' ? String(event['how']) : event.event;
        if (before !== undefined)
          findings.push({ at: msOf(event), what: `${ref} ended in ${how} after it had ended in ${before}.` });
        ended.set(ref, how);
        open.delete(ref);
      }
    }
  }
  for (const [ref, whose] of open) {
    const [, incarnation = ''] = whose.split(' ');
    const alive = !chronicle.named('coordinator-gone').some((event) => String(event['life']) === whose.split(' ')[0]);
    if (alive && chronicle.named('left').length > 0 && chronicle.silent.has(incarnation)) {
      findings.push({ at: chronicle.end, what: `${ref} was cast and never ended.` });
    }
  }
  return findings;
}
