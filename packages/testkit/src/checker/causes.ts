import type { ErrorCode } from '@muster/rexi';
import { codes } from '@muster/rexi';
import type { HistoryEvent } from '../history/history.ts';
import type { Chronicle, JobStory } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

/** The longest that a fault shows its consequences after it has ended: leases, write deadlines, backoffs. */
const echo = 20_000;

/** Codes that no simulated job and no fault can cause. */
const never: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid_args',
  'unknown_job',
  'not_serializable',
  'bad_options',
  'protocol_error',
  'unauthorized',
  'version_mismatch',
  'limit',
  'poisoned',
]);
/** Codes of what a job that was cast ended in: their errors name its reference, too. */
const ran: ReadonlySet<string> = new Set<ErrorCode>(['job_failed', 'executor_lost', 'lease_lost']);
/** Codes of what happens at a node: their errors name it. */
const placed: ReadonlySet<string> = new Set<ErrorCode>([
  ...(ran as ReadonlySet<ErrorCode>),
  'maintenance',
  'overloaded',
]);

/** Every error that a caller gets is of a declared class, one that can happen, and says what it is about. */
export function declaredErrors(chronicle: Chronicle): Finding[] {
  const asked = new Map(chronicle.named('asked').map((event) => [event['request'], event]));
  return chronicle.named('answered').flatMap((event) => {
    if (event['how'] !== 'error') return [];
    const code = String(event['code']);
    const name = `Request ${String(event['request'])}`;
    if (!Object.hasOwn(codes, code)) return [{ at: msOf(event), what: `${name} failed with ${code}.` }];
    const message = String(event['message']);
    const expected = asked.get(event['request'])?.['expected'] as readonly string[] | undefined;
    if (never.has(code) && expected?.includes(code) !== true)
      return [{ at: msOf(event), what: `${name} failed with ${code}: ${message}` }];
    if ((placed.has(code) && event.node === undefined) || (ran.has(code) && event.ref === undefined)) {
      return [{ at: msOf(event), what: `${name} failed with ${code} and without node or reference: ${message}` }];
    }
    return [];
  });
}

/** No exception that nobody caught, no rejection that nobody handled. */
export function nothingUncaught(chronicle: Chronicle): Finding[] {
  return chronicle.named('uncaught').map((event) => ({ at: msOf(event), what: String(event['what']) }));
}

/** A job dies only for a reason: asked for, its session ended, its executor or node died. */
export function noNeedlessKill(chronicle: Chronicle): Finding[] {
  const given = new Map<string, number>();
  for (const event of [...chronicle.named('kill'), ...chronicle.named('cancel')]) {
    for (const ref of event.refs ?? [event.ref ?? '']) given.set(ref, msOf(event));
  }
  const timed = new Set(
    chronicle.named('cast').flatMap((event) => (event['timed'] === true ? (event.refs ?? []) : [])),
  );
  return [...chronicle.jobs.values()].flatMap((job) => {
    const { ref, over, how } = job;
    if (over === undefined || (how !== 'stopped' && how !== 'exited')) return [];
    if (given.has(ref) || timed.has(ref) || job.job === 'dies' || hasReason(chronicle, job, over)) return [];
    return [{ at: over, what: `${ref} (${job.job}) at ${job.node} ${how} and nobody had a reason for it.` }];
  });
}

function hasReason(chronicle: Chronicle, { incarnation, node }: JobStory, over: number): boolean {
  const near = (event: HistoryEvent): boolean => event.on === node && msOf(event) <= over && msOf(event) > over - 3_000;
  const ended = chronicle.named('session-ended').some((event) => near(event) && event.incarnation === incarnation);
  return ended || chronicle.named('reap').some(near) || !chronicle.calm([node, `x ${node}`], over - 2_000, over);
}

/** A session ends only for a reason; a coordinator that stalls for less than its guardian vouches is none. */
export function noNeedlessEnd(chronicle: Chronicle): Finding[] {
  const closing = msOf(chronicle.named('ending')[0]) || Infinity;
  const sides = [...chronicle.named('session-down'), ...chronicle.named('session-ended')];
  return sides.flatMap((event) => {
    const at = msOf(event);
    const node = event.event === 'session-down' ? (event.node ?? '') : event.on;
    const silent = chronicle.silent.get(event.incarnation ?? '') ?? Infinity;
    if (at >= Math.min(closing, silent) || mayEnd(chronicle, event.incarnation, node, at)) return [];
    const why = String(event['why'] ?? event['by']);
    return [
      {
        at,
        what: `The session ${event.session} of ${event.incarnation} with ${node} ended (${why}) without a reason.`,
      },
    ];
  });
}

function mayEnd(chronicle: Chronicle, incarnation: string | undefined, node: string, at: number): boolean {
  const from = at - echo;
  // Links that are reset are no reason: sessions outlive them.
  if (chronicle.hitting([node, `net ${node}`], from, at).some(({ kind }) => kind !== 'reset')) return true;
  const [whose, guarding] = chronicle.coordinatorOf(incarnation);
  const coordinator = chronicle.hitting([whose], from, at);
  const guardian = chronicle.hitting([guarding], from, at);
  const short = ({ kind, ms }: { kind: string; ms: number }): boolean =>
    kind.startsWith('stall') && ms < chronicle.constants.vouch - 2_000;
  if (coordinator.some((fault) => !short(fault)) || (coordinator.length > 0 && guardian.length > 0)) return true;
  if (overlapping(coordinator.map(({ at, until }) => [at, until]))) return true;
  const here = whose === 'c' ? 'c1' : whose;
  return chronicle.named('fenced').some((event) => event.on === here && Math.abs(msOf(event) - at) < 1_000);
}

/** Several stalls one after the other are one long one to a guardian that hears nothing in between. */
function overlapping(spans: readonly (readonly [number, number])[]): boolean {
  return spans.some(([from], i) => spans.some(([, until], j) => i > j && from < until + 3_000));
}

/** Where nothing goes wrong, a request ends as its kind does. */
export function expectedOutcome(chronicle: Chronicle): Finding[] {
  const asked = new Map(chronicle.named('asked').map((event) => [event['request'], event]));
  const closing = msOf(chronicle.named('ending')[0]) || Infinity;
  return chronicle.named('answered').flatMap((event) => {
    const request = asked.get(event['request']);
    if (request === undefined || msOf(event) >= closing) return [];
    const how = event['how'] === 'error' ? String(event['code']) : String(event['how']);
    if ((request['expected'] as string[]).includes(how) || how === 'overloaded') return [];
    const troubled = chronicle.faults.some(({ at, until }) => at <= msOf(event) && until + echo >= msOf(request));
    if (troubled) return [];
    return [
      {
        at: msOf(event),
        what: `Request ${String(event['request'])} (${String(request['kind'])}) ended in ${how}: ${String(event['message'])}`,
      },
    ];
  });
}

/** Whoever asks is answered, if the process that asked was closed in good order. */
export function everyRequestEnds(chronicle: Chronicle): Finding[] {
  const closed = new Set(chronicle.named('closed').flatMap((event) => (event['done'] === true ? [event['life']] : [])));
  const answered = new Set(chronicle.named('answered').map((event) => event['request']));
  return chronicle
    .named('asked')
    .filter((event) => closed.has(event['life']) && !answered.has(event['request']))
    .map((event) => ({
      at: chronicle.end,
      what: `Request ${String(event['request'])} (${String(event['kind'])}) was never answered.`,
    }));
}

/** The handle closes in time, whatever the nodes do. */
export function closes(chronicle: Chronicle): Finding[] {
  return chronicle
    .named('closed')
    .filter((event) => event['done'] !== true)
    .map((event) => ({ at: msOf(event), what: 'The handle did not close.' }));
}

/** What waits for one kernel stays below the bounds of both lanes. */
export function queuesBounded(chronicle: Chronicle): Finding[] {
  const { controlQueue, inFlightMax, frame } = chronicle.constants;
  const bound = controlQueue + inFlightMax + frame;
  return chronicle.named('over').flatMap((event) => {
    const peak = Number(event['peak'] ?? 0);
    return peak <= bound
      ? []
      : [{ at: msOf(event), what: `${peak} bytes waited for one connection, more than ${bound}.` }];
  });
}

/** A reader of the slowest kind, behind the longest queue that callers make, is done by then. */
const patience = 40_000;

/** Where nothing goes wrong, whoever asks is answered in time. */
export function answeredInTime(chronicle: Chronicle): Finding[] {
  const answers = new Map(chronicle.named('answered').map((event) => [event['request'], msOf(event)]));
  return chronicle.named('asked').flatMap((event) => {
    const from = msOf(event);
    const limit = from + patience;
    if (limit > chronicle.end || (answers.get(event['request']) ?? Infinity) <= limit) return [];
    if (chronicle.faults.some(({ at, until }) => at <= limit && until + echo >= from)) return [];
    return [
      {
        at: limit,
        what: `Request ${String(event['request'])} (${String(event['kind'])}) had no answer for ${patience} ms.`,
      },
    ];
  });
}

/** When a core of the cluster has been whole for two leases, requests there succeed, whatever the rest does. */
export function coreLives(chronicle: Chronicle): Finding[] {
  return chronicle
    .named('canary')
    .filter((event) => event['how'] !== 'complete')
    .map((event) => ({
      at: msOf(event),
      what: `A canary at ${event.node} ended in ${String(event['how'])} with its node and its coordinator whole.`,
    }));
}
