import { Channel } from '@muster/rexi';
import { internals as coordinator } from '@muster/coordinator/testing';
import { internals as worker } from '@muster/worker/testing';
import type { FaultKind } from '../faults/fault.ts';
import { all, swap } from '../planted/breaking.ts';
import { newerEndsNoOlder } from '../planted/bugs-of-ends.ts';
import { plantedBug } from '../planted/planted.ts';

/** A variant of the protocol that the models know as well: what it lacks, what happens, and whether a claim survives that. */
export interface Variant {
  /** The model's switches. */
  readonly name: string;
  /** The model's claim, and the rules of the checker that stand for it. */
  readonly claim: string;
  readonly rules: readonly string[];
  readonly outcome: 'holds' | 'fails';
  readonly faults: readonly FaultKind[];
  /** Takes from the protocol what the variant does not have; what it returns gives it back. */
  readonly take: () => () => void;
}

const orphan = { claim: 'no_orphan', rules: ['noOrphans', 'nothingLeft'] } as const;
const down = { claim: 'down_ends', rules: ['downEnds', 'noOrphans'] } as const;
const once = { claim: 'once', rules: ['startsOnce'] } as const;

const machine: readonly FaultKind[] = ['lose-coordinator'];
const crash: readonly FaultKind[] = ['kill-coordinator'];
const crashes: readonly FaultKind[] = ['kill-coordinator', 'kill-guardian'];
const loss: readonly FaultKind[] = ['half-open', 'partition', 'clog', 'hold', 'reset'];

function without(...names: readonly string[]): () => () => void {
  return () => all(...names.map((name) => plantedBug(name).plant()));
}

/** Every cast is said twice. */
function resend(): () => void {
  return swap(
    Channel.prototype,
    'send',
    (real) =>
      function send(this: Channel, message, atHandOver) {
        real.call(this, message, atHandOver);
        if (message.type === 'cast') real.call(this, message, atHandOver);
      },
  );
}

function leaseOfTheIncarnation(): () => void {
  return swap(
    worker.Sessions.prototype,
    'renew',
    (real) =>
      function renew(this: InstanceType<typeof worker.Sessions>, incarnation, number, stamp, now) {
        return real.call(this, incarnation, this.open(incarnation)?.number ?? number, stamp, now);
      },
  );
}

/** A guardian that is told of the end of a session keeps it to itself. */
function endIsNotPassedOn(): () => void {
  return swap(
    coordinator.GuardianCore.prototype,
    'told',
    (real) =>
      function told(this: InstanceType<typeof coordinator.GuardianCore>, message, now) {
        const effects = real.call(this, message, now);
        return message.do === 'end' ? effects.filter((effect) => effect.do !== 'send') : effects;
      },
  );
}

/** The tables of the models, as far as the code can be taken apart that far; with their names. */
export const variants: readonly Variant[] = [
  {
    name: 'CRASH_COORD CFENCE',
    ...orphan,
    outcome: 'holds',
    faults: crash,
    take: without('no-lease', 'no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_COORD CRASH_CLEANER CFENCE',
    ...orphan,
    outcome: 'fails',
    faults: crashes,
    take: without('no-lease', 'no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_COORD LOSS CFENCE',
    ...orphan,
    outcome: 'fails',
    faults: [...crash, ...loss],
    take: without('no-lease', 'no-tombstone', 'cast-before-registration'),
  },
  { name: 'CRASH_MACHINE', ...orphan, outcome: 'fails', faults: machine, take: without('no-lease') },
  {
    name: 'CRASH_COORD CRASH_CLEANER CRASH_MACHINE LOSS LEASE',
    ...orphan,
    outcome: 'holds',
    faults: [...machine, ...crashes, ...loss],
    take: without('no-fence', 'no-tombstone', 'cast-before-registration'),
  },
  {
    name: 'CRASH_COORD CRASH_CLEANER CRASH_MACHINE LOSS CFENCE LEASE VOUCH',
    ...orphan,
    outcome: 'holds',
    faults: [...machine, ...crashes, ...loss],
    take: without('no-tombstone', 'cast-before-registration'),
  },
  { name: 'CRASH_COORD NO_FENCE', ...orphan, outcome: 'holds', faults: crash, take: without('no-fence') },
  { name: 'LOSS NO_END', ...down, outcome: 'holds', faults: loss, take: endIsNotPassedOn },
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
  {
    name: 'NO_STAMP',
    claim: 'exclusive',
    rules: down.rules,
    outcome: 'fails',
    faults: machine,
    take: without('renewal-without-stamp'),
  },
  {
    name: 'KILLS KILL_GUARDIAN',
    claim: 'kill_holds',
    rules: ['killedEnds'],
    outcome: 'fails',
    faults: [],
    take: without('kill-not-sent'),
  },
  { name: 'RESEND NO_COUNTER', ...once, outcome: 'fails', faults: loss, take: without('no-counter') },
  { name: 'RESEND DEDUP', ...once, outcome: 'holds', faults: loss, take: resend },
];
