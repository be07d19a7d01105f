import { surelyDeadAfter } from '@muster/rexi';
import { drift } from '../simulation/drift.ts';
import type { Chronicle, JobStory } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

/** What a simulated process takes to be gone, messages to arrive, and timers to fire. */
const slack = 600;

/** So long before a moment nothing may have happened to what a bound for quiet times is about. */
const calmBefore = 20_000;

/** No job of an incarnation lives when for one lease nobody has spoken for it: the promise of all promises. */
export function noOrphans(chronicle: Chronicle): Finding[] {
  const { lease, kill } = chronicle.constants;
  return [...chronicle.jobs.values()].flatMap((job) => {
    const orphaned = chronicle.orphaned(job.incarnation);
    if (orphaned === undefined) return [];
    return late(
      chronicle,
      job,
      chronicle.withStops(job.node, orphaned, lease * (1 + drift) + kill + slack),
      'was orphaned',
    );
  });
}

/** A coordinator's process is killed and nothing else happens: its guardian has ended its jobs within a second. */
export function orphansEndAtOnce(chronicle: Chronicle): Finding[] {
  return [...chronicle.jobs.values()].flatMap((job) => {
    const died = chronicle.silent.get(job.incarnation);
    if (died === undefined || (job.over ?? Infinity) < died) return [];
    const around = [...chronicle.coordinatorOf(job.incarnation), job.node, `net ${job.node}`, `x ${job.node}`];
    const others = chronicle.hitting(around, died - calmBefore, died + 1_000);
    const killed =
      others.every(({ kind, hits }) => /^kill-(coordinator|rival)$/.test(kind) && hits.length === 1) &&
      others.length === 1;
    return killed ? late(chronicle, job, died + 1_000, 'lost its coordinator') : [];
  });
}

/** A reference that got `down` has no job any more when its bound has passed, although its coordinator lives. */
export function downEnds(chronicle: Chronicle): Finding[] {
  const bound = surelyDeadAfter(chronicle.constants);
  return chronicle.named('ended').flatMap((event) => {
    const job = chronicle.jobs.get(event.ref ?? '');
    if (event['how'] !== 'down' || job === undefined) return [];
    const at = Math.max(msOf(event), givenUp(chronicle, event.incarnation, event.node, msOf(event)));
    return late(chronicle, job, chronicle.withStops(job.node, at, bound * (1 + drift) + slack), 'was down');
  });
}

/** When the last guardian has said that it vouches for the node's session no more, or has gone. */
function givenUp(
  chronicle: Chronicle,
  incarnation: string | undefined,
  node: string | undefined,
  from: number,
): number {
  const said = chronicle
    .named('guardian-ended')
    .find(
      (event) =>
        event.incarnation === incarnation && String(event['address']).includes(`//${node}:`) && msOf(event) >= from,
    );
  const gone = chronicle.guardians.filter((one) => one.incarnation === incarnation).map((one) => one.gone ?? Infinity);
  return Math.min(msOf(said ?? undefined) || Infinity, Math.max(from, ...gone));
}

/** A job that its coordinator has killed or not chosen is gone within its grace and K, where nothing hinders that. */
export function killedEnds(chronicle: Chronicle): Finding[] {
  const { kill, killGrace } = chronicle.constants;
  return [...chronicle.named('kill'), ...chronicle.named('cancel')].flatMap((event) => {
    const at = msOf(event);
    return (event.refs ?? [event.ref ?? '']).flatMap((ref) => {
      const job = chronicle.jobs.get(ref);
      if (job === undefined) return [];
      const limit = at + Number(event['grace'] ?? killGrace) + kill + slack;
      const around = [...chronicle.coordinatorOf(job.incarnation), job.node, `net ${job.node}`];
      if (!chronicle.calm(around, at - calmBefore, limit)) return [];
      return late(chronicle, job, limit, 'was killed');
    });
  });
}

/** A coordinator that hangs holds no job for longer than its guardian vouches for it. */
export function hungLosesJobs(chronicle: Chronicle): Finding[] {
  const { vouch, heartbeat, kill, lease } = chronicle.constants;
  const hung = chronicle.faults.filter(
    ({ kind, at, until }) => kind.startsWith('stall') && until - at > vouch + 3 * heartbeat,
  );
  return hung.flatMap(({ at }) => {
    if (!chronicle.calm(['g'], at - calmBefore, at + vouch)) return [];
    const limit = at + vouch + 3 * heartbeat + lease + kill + slack;
    return [...chronicle.jobs.values()]
      .filter(({ begun, incarnation }) => (begun[0] ?? 0) < at && chronicle.coordinatorOf(incarnation)[0] === 'c')
      .flatMap((job) =>
        late(chronicle, job, chronicle.withStops(job.node, at, limit - at), 'had a coordinator that hung'),
      );
  });
}

/** Each guardian goes when its coordinator is gone: at once where it can tell every node, else when all leases are over. */
export function guardiansLeave(chronicle: Chronicle): Finding[] {
  const { constants } = chronicle;
  return chronicle.guardians.flatMap(({ incarnation, number, gone }) => {
    const silent = chronicle.silent.get(incarnation);
    if (silent === undefined) return [];
    const stops = chronicle
      .hitting([chronicle.coordinatorOf(incarnation)[1]], silent, silent + 60_000)
      .map(({ until }) => until);
    const limit = Math.max(silent, ...stops) + surelyDeadAfter(constants) * (1 + drift) + 5_000;
    if ((gone ?? Infinity) <= limit || limit > chronicle.end) return [];
    return [
      {
        at: limit,
        what: `Guardian ${number} of ${incarnation} was there ${Math.round(limit - silent)} ms after its coordinator.`,
      },
    ];
  });
}

/** When all is over, no job lives, none is in a table, no tombstone is kept, and no guardian is there. */
export function nothingLeft(chronicle: Chronicle): Finding[] {
  const left = chronicle.named('left').flatMap((event) => {
    const { alive, jobs, tombstones } = event as unknown as { alive: string[]; jobs: string[]; tombstones: number };
    const objects = ['kept', 'bytes', 'owners', 'sessions'].filter((name) => Number(event[name] ?? 0) > 0);
    const what = [
      alive.length > 0 && `jobs that live: ${alive.join(', ')}`,
      jobs.length > 0 && `jobs in its table: ${jobs.join(', ')}`,
      tombstones > 0 && `${tombstones} tombstones`,
      objects.length > 0 &&
        `objects, by its table: ${objects.map((name) => `${name} ${String(event[name])}`).join(', ')}`,
    ].filter((one) => one !== false);
    return what.length === 0 ? [] : [{ at: msOf(event), what: `${event.node} has ${what.join('; ')}.` }];
  });
  const guardians =
    chronicle.named('guardian-up').length > 0 ? chronicle.guardians.filter(({ gone }) => gone === undefined) : [];
  const whole = chronicle.named('left').length > 0;
  const still = guardians.map(({ incarnation, number }) => ({
    at: chronicle.end,
    what: `Guardian ${number} of ${incarnation} is still there.`,
  }));
  return whole ? [...left, ...still] : left;
}

/** The finding where a job lived beyond a moment that the run reached. */
function late(chronicle: Chronicle, job: JobStory, limit: number, why: string): Finding[] {
  if ((job.over ?? Infinity) <= limit || limit > chronicle.end) return [];
  const until = job.over === undefined ? 'to the end' : `until ${job.over.toFixed(1)} ms`;
  return [
    {
      at: limit,
      what: `${job.ref} (${job.job}) at ${job.node} ${why} and lived ${until}, beyond ${limit.toFixed(1)} ms.`,
    },
  ];
}
