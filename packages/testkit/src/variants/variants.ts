import { invariants } from '../checker/check.ts';
import type { FaultKind } from '../faults/fault.ts';
import { castsTwice } from '../planted/breaking.ts';
import { newerEndsNoOlder } from '../planted/bugs-of-ends.ts';
import { leaseOfTheIncarnation } from '../planted/bugs-of-leases.ts';
import { variantsOfCleanup } from './cleanup.ts';
import * as lacking from './lacking.ts';
import { without } from './lacking.ts';
import type { Untold, Variant } from './variant.ts';

const all = { claim: 'all', rules: Object.keys(invariants) } as const;
const orphan = { claim: 'no_orphan', rules: ['noOrphans'] } as const;
const down = { claim: 'down_ends', rules: ['downEnds', 'noOrphans'] } as const;
const once = { claim: 'once', rules: ['startsOnce'] } as const;
const kill = { claim: 'kill_holds', rules: ['killedEnds'] } as const;
const goesOn = { claim: 'goes_on', rules: ['coreLives'], mode: 'liveness' } as const;
const fenced = { claim: 'not_fenced', rules: ['noNeedlessEnd', 'noNeedlessKill'] } as const;

const loss: readonly FaultKind[] = ['half-open', 'partition', 'clog', 'hold', 'reset'];
const replace: readonly FaultKind[] = ['stop-guardian'];

/** The model of sessions, as far as the code can be taken apart that far; with its names. */
const variantsOfSessions: readonly Variant[] = [
  { name: 'LOSS', ...all, outcome: 'holds', faults: loss, take: without() },
  { name: 'LOSS RESEND KILLS', ...all, outcome: 'holds', faults: loss, take: castsTwice },
  {
    name: 'LOSS CRASH_COORD REPLACE',
    ...all,
    outcome: 'holds',
    faults: [...loss, 'kill-coordinator', ...replace],
    take: without(),
  },
  {
    name: 'LOSS CRASH_GUARDIAN REPLACE',
    ...all,
    outcome: 'holds',
    faults: [...loss, 'kill-guardian', ...replace],
    take: without(),
  },
  {
    name: 'CRASH_COORD CRASH_GUARDIAN REPLACE',
    ...all,
    outcome: 'holds',
    faults: ['kill-coordinator', 'kill-guardian', ...replace],
    ending: 'kill',
    take: without(),
  },
  {
    name: 'CRASH_COORD CRASH_GUARDIAN NO_LEASE',
    ...orphan,
    outcome: 'fails',
    faults: ['kill-coordinator', 'kill-guardian', 'stop-coordinator-machine'],
    ending: 'kill',
    take: without('no-lease'),
  },
  {
    name: 'CRASH_COORD LOSS NO_LEASE',
    ...orphan,
    outcome: 'fails',
    faults: ['kill-coordinator', 'partition'],
    ending: 'kill',
    take: without('no-lease'),
  },
  {
    name: 'CRASH_COORD NO_FENCE',
    ...orphan,
    outcome: 'holds',
    faults: ['kill-coordinator'],
    ending: 'kill',
    take: without('no-fence'),
  },
  { name: 'LOSS NO_END', ...down, outcome: 'holds', faults: loss, take: lacking.endIsNotPassedOn },
  {
    name: 'LOSS VOUCH_ALL',
    ...down,
    outcome: 'fails',
    faults: [...loss, 'stall-when-down'],
    take: without('vouching-for-given-up'),
  },
  { name: 'LOSS LEASE_INC', ...down, outcome: 'holds', faults: loss, take: leaseOfTheIncarnation },
  {
    name: 'LOSS LEASE_INC NO_NEWER',
    ...down,
    outcome: 'fails',
    faults: loss,
    take: without('lease-of-the-incarnation'),
  },
  { name: 'NO_NEWER', claim: 'one_session', rules: down.rules, outcome: 'fails', faults: loss, take: newerEndsNoOlder },
  { name: 'LOSS EXPIRY_FENCES', ...goesOn, outcome: 'fails', faults: loss, take: lacking.endOfLeaseFences },
  {
    name: 'REPLACE NO_KILL',
    ...fenced,
    outcome: 'fails',
    faults: replace,
    take: without('guardian-replaced-without-kill'),
  },
  { name: 'REPLACE NO_NUMBER', ...all, outcome: 'holds', faults: replace, take: lacking.guardiansAreNotNumbered },
  { name: 'STALL', ...goesOn, outcome: 'fails', faults: ['stall-coordinator'], take: lacking.stallIsNotSaid },
  {
    name: 'NO_STAMP',
    claim: 'exclusive',
    rules: down.rules,
    outcome: 'fails',
    faults: ['lose-coordinator'],
    take: without('renewal-without-stamp'),
  },
  {
    name: 'STOPPED_WORKER',
    claim: 'exclusive',
    rules: down.rules,
    outcome: 'fails',
    faults: ['lose-coordinator'],
    take: without('late-lease'),
  },
  {
    name: 'KILLS EAGER',
    ...kill,
    outcome: 'holds',
    because: 'a node closes the link of a peer that casts before its session was accepted, and starts nothing',
    faults: loss,
    take: lacking.castsBeforeAcceptance,
  },
  { name: 'KILLS KILL_GUARDIAN', ...kill, outcome: 'fails', faults: [], take: without('kill-not-sent') },
  { name: 'KILLS NO_TOMB', ...kill, outcome: 'fails', faults: [], take: without('no-tombstone') },
  { name: 'RESEND NO_COUNTER', ...once, outcome: 'fails', faults: loss, take: without('no-counter') },
];

/** The tables of the models, with their names. */
export const variants: readonly Variant[] = [...variantsOfCleanup, ...variantsOfSessions];

/** Their rows that have no simulation. */
export const untold: readonly Untold[] = [
  {
    name: 'CRASH_COORD KILLFIRST DRAIN TOMB REGFIRST',
    because:
      'what was written to a pipe is in the pipe: a guardian reads it although its writer has died, so that no registration that was sent is lost',
  },
  {
    name: 'RESEND PARTITION REGFIRST REGACK KILLFIRST DRAIN TOMB LEASE',
    because: 'no code of ours casts a reference again after a reconnect: a replacement has a reference of its own',
  },
  {
    name: 'BY_ARRIVAL',
    because:
      'an opening is lost with the link that it was sent over, and the next one is sent when that link has ended',
  },
  { name: 'REPLACE NO_WAIT', because: 'a SIGKILL takes no time here: there is nothing to wait for' },
  {
    name: 'BOUND_OWN',
    because:
      'nothing waits for the bound before it runs a job again: no job is exclusive, so that none can be so in vain',
  },
  {
    name: 'EAGER',
    because: 'its claim is about exclusive jobs, of which there are none; the claim about kills is KILLS EAGER',
  },
  {
    name: 'KILLS TOMB_ALWAYS',
    because:
      'tombstones go with the table of their session: at rest there are none to see, and counters.test.ts has the rule',
  },
  { name: 'KILLS TOMB_STAYS', because: 'the same' },
];
