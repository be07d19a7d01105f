import { invariants } from '../checker/check.ts';
import { faultKinds } from '../faults/fault.ts';
import type { FaultKind } from '../faults/fault.ts';
import { castsTwice } from '../planted/breaking.ts';
import { guardiansKillJobByJob } from './job-by-job.ts';
import { castsOutliveSessions, closeDoesNotWait, without } from './lacking.ts';
import type { Variant } from './variant.ts';

/** Without leases tombstones stay as well, of which the models have no claim. */
const orphan = { claim: 'no_orphan', rules: ['noOrphans'] } as const;
const once = { claim: 'runs_once', rules: ['startsOnce'] } as const;
const fenced = { claim: 'fenced', rules: ['noStartAfterSession'] } as const;

const machine: readonly FaultKind[] = ['lose-coordinator'];
/** Nothing is lost where a link is slow, but what was said first may be read last. */
const crash: readonly FaultKind[] = ['kill-coordinator', 'slow'];
const crashes: readonly FaultKind[] = ['kill-coordinator', 'kill-guardian'];
const loss: readonly FaultKind[] = ['half-open', 'partition', 'clog', 'hold', 'reset'];

/** Few counters to a block: a guardian that kills job by job names each of them. */
const few = { constants: { block: 2 } } as const;
const jobs = (): (() => void) => guardiansKillJobByJob();
const jobsOnce = (): (() => void) => guardiansKillJobByJob({ saysOnce: true });
const releasedFirst = (): (() => void) => guardiansKillJobByJob({ killsOnRelease: false });

/** The model of clean-up: no fence, no lease, then one rule after the other; with its names. `P` stands for all of the first. */
export const variantsOfCleanup: readonly Variant[] = [
  {
    name: 'CRASH_COORD',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: crash,
    ending: 'kill',
    take: without('no-lease', 'no-tombstone', 'cast-before-registration', jobs),
  },
  {
    name: 'CRASH_COORD KILLFIRST DRAIN TOMB',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: crash,
    ending: 'kill',
    take: without('no-lease', 'cast-before-registration', jobs),
  },
  {
    name: 'CRASH_COORD REGFIRST REGACK KILLFIRST DRAIN',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: crash,
    ending: 'kill',
    take: without('no-lease', 'no-tombstone', jobs),
  },
  {
    name: 'CRASH_COORD REGFIRST REGACK KILLFIRST DRAIN TOMB',
    ...orphan,
    ...few,
    outcome: 'holds',
    faults: crash,
    ending: 'kill',
    take: without('no-lease', jobs),
  },
  {
    name: 'CRASH_COORD REGFIRST REGACK TOMB',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: [],
    ending: 'exit',
    take: without('no-lease', closeDoesNotWait, releasedFirst),
  },
  {
    name: 'CRASH_COORD REGFIRST REGACK TOMB KILLFIRST',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: [],
    ending: 'exit',
    take: without('no-lease', closeDoesNotWait, releasedFirst),
  },
  {
    name: 'CRASH_COORD REGFIRST REGACK KILLFIRST DRAIN TOMB FORGET_ANY',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: crash,
    ending: 'kill',
    take: without('no-lease', 'tombstone-forgotten-early', jobs),
  },
  {
    name: 'CRASH_COORD LOSS REGFIRST REGACK KILLFIRST DRAIN TOMB',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: ['kill-coordinator', 'partition'],
    ending: 'kill',
    take: without('no-lease', jobsOnce),
  },
  {
    name: 'CRASH_COORD CRASH_CLEANER REGFIRST REGACK KILLFIRST DRAIN TOMB',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: crashes,
    ending: 'kill',
    take: without('no-lease', jobs),
  },
  {
    name: 'CRASH_MACHINE REGFIRST REGACK KILLFIRST DRAIN TOMB',
    ...orphan,
    ...few,
    outcome: 'fails',
    faults: machine,
    ending: 'lose',
    take: without('no-lease', jobs),
  },
  {
    name: 'CRASH_COORD CRASH_CLEANER CRASH_MACHINE LOSS REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE',
    ...orphan,
    ...few,
    outcome: 'holds',
    faults: [...machine, ...crashes, ...loss],
    ending: 'lose',
    take: without(jobs),
  },
  {
    name: 'CRASH_COORD CRASH_CLEANER CRASH_MACHINE LOSS LEASE',
    ...orphan,
    outcome: 'holds',
    faults: [...machine, ...crashes, ...loss],
    ending: 'lose',
    take: without('no-fence', 'no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_COORD KILLFIRST DRAIN CFENCE',
    ...orphan,
    outcome: 'holds',
    faults: crash,
    ending: 'kill',
    take: without('no-lease', 'no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_COORD CRASH_CLEANER KILLFIRST DRAIN CFENCE',
    ...orphan,
    outcome: 'fails',
    faults: crashes,
    ending: 'kill',
    take: without('no-lease', 'no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_COORD LOSS KILLFIRST DRAIN CFENCE',
    ...orphan,
    outcome: 'fails',
    faults: ['kill-coordinator', 'partition'],
    ending: 'kill',
    take: without('no-lease', 'no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_COORD CRASH_CLEANER CRASH_MACHINE LOSS KILLFIRST DRAIN CFENCE LEASE VOUCH',
    ...orphan,
    outcome: 'holds',
    faults: [...machine, ...crashes, ...loss],
    ending: 'lose',
    take: without('no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_MACHINE REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE',
    ...fenced,
    outcome: 'holds',
    because: 'the link of a session whose lease has ended is closed: a cast that comes late over it is not read',
    faults: machine,
    ending: 'lose',
    take: without(castsOutliveSessions),
  },
  {
    name: 'CRASH_MACHINE REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE FENCE',
    ...fenced,
    outcome: 'holds',
    faults: machine,
    ending: 'lose',
    take: without(),
  },
  {
    name: 'RESEND REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE FENCE',
    ...once,
    outcome: 'fails',
    faults: loss,
    take: without('no-counter'),
  },
  {
    name: 'RESEND REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE FENCE DEDUP',
    ...once,
    outcome: 'holds',
    faults: loss,
    take: castsTwice,
  },
  {
    name: 'RESEND LOSS CRASH_COORD CRASH_CLEANER CRASH_MACHINE REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE FENCE DEDUP FORGET_EOF',
    claim: 'all four',
    rules: [...orphan.rules, ...once.rules, ...fenced.rules],
    ...few,
    outcome: 'holds',
    faults: faultKinds,
    ending: 'lose',
    take: without(castsTwice, jobs),
  },
  {
    name: 'RESEND LOSS CRASH_COORD CRASH_CLEANER CRASH_MACHINE REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE FENCE VOUCH DEDUP CFENCE',
    claim: 'all four',
    rules: Object.keys(invariants),
    outcome: 'holds',
    faults: faultKinds,
    ending: 'lose',
    take: castsTwice,
  },
];
