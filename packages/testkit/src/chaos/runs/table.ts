import { constants } from '@muster/rexi';
import { canMount } from '../process/disk.ts';
import { hasLimits } from '../process/limits.ts';
import type { Scenario, Skipped } from './scenario.ts';

/** The protocol's times, shortened so that a lease runs out while somebody watches; the proportions are the usual ones. */
export const times = { lease: 1_500, heartbeat: 300, vouch: 2_000, connect: 1_000 } as const;

const { lease, kill, heartbeat, vouch, connect, closedGrace } = constants(times);

/** Bounds, as they are promised. */
const guardianFences = 1_000;
const reaperKills = 1_000;
const bothLinksClosed = closedGrace + kill;
const leaseRunsOut = lease + kill;
/**
 * When a coordinator calls a silent node lost, and what its callers hear of it; also of a node that was killed, since the
 * proxy in front of it listens on.
 */
const surelyDown = 1.1 * lease + kill + 2 * heartbeat;
const guardianIsBack = 2_000;
const vouchedFor = vouch + 2 * heartbeat + kill;

const lost = ['down', 'lease_lost', 'unreachable', 'unavailable'] as const;
const both = ['coordinator', 'guardian'] as const;

/** What can break, and what must come of it. Rows are data: the same ones are printed, drawn by seed, and replayed. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'coordinator-killed',
    says: 'the coordinator is killed; its guardian fences',
    steps: [{ do: 'kill', whom: ['coordinator'] }],
    expect: { dead: 'all', within: guardianFences },
  },
  {
    name: 'coordinator-exits',
    says: 'the coordinator casts and calls process.exit in the same turn',
    steps: [{ do: 'exit' }],
    expect: { dead: 'all', within: guardianFences },
  },
  {
    name: 'coordinator-closes',
    says: 'the coordinator closes while everything runs',
    steps: [{ do: 'close' }],
    expect: { dead: 'all', within: guardianFences, codes: ['closed'], told: 1_000 },
  },
  {
    name: 'requests-aborted',
    says: 'all requests are aborted; their jobs do not listen',
    steps: [{ do: 'abort' }],
    expect: { dead: 'all', within: 1_000, codes: ['cancelled'], told: 1_000 },
  },
  {
    name: 'coordinator-and-guardian-killed',
    says: 'both are killed at once; the nodes see both links closed',
    steps: [{ do: 'kill', whom: ['coordinator', 'guardian'] }],
    expect: { dead: 'all', within: bothLinksClosed },
  },
  {
    name: 'coordinator-machine-lost',
    says: 'both are killed behind links that say nothing; the lease runs out',
    steps: [
      { do: 'link', fault: { kind: 'hold' }, from: both, to: 'all' },
      { do: 'kill', whom: ['coordinator', 'guardian'] },
    ],
    expect: { dead: 'all', within: leaseRunsOut },
  },
  {
    name: 'coordinator-killed-as-it-casts',
    says: 'the fence overtakes a cast that is still on its way; the cast is refused',
    steps: [
      { do: 'link', fault: { kind: 'hold', direction: 'up' }, from: ['coordinator'], to: 'all' },
      { do: 'cast', job: 'spin' },
      { do: 'wait', ms: [5, 100] },
      { do: 'kill', whom: ['coordinator'] },
      { do: 'wait', ms: 300 },
      { do: 'heal' },
    ],
    expect: { dead: 'all', within: guardianFences },
  },
  {
    name: 'coordinator-stopped-briefly',
    says: 'the coordinator stands still for less than its guardian vouches; nothing is killed',
    steps: [
      { do: 'stop', whom: ['coordinator'] },
      { do: 'wait', ms: [500, vouch - 800] },
      { do: 'continue', whom: ['coordinator'] },
    ],
    expect: { dead: 'nobody', within: 0 },
  },
  {
    name: 'coordinator-hangs',
    says: 'the coordinator stands still for longer; it is fenced, and goes on under a new incarnation',
    steps: [
      { do: 'stop', whom: ['coordinator'] },
      { do: 'wait', ms: vouchedFor + 200 },
      { do: 'continue', whom: ['coordinator'] },
    ],
    expect: {
      dead: 'all',
      within: vouchedFor,
      codes: ['fenced', 'lease_lost'],
      told: vouchedFor + 2_500,
      renewed: true,
    },
  },
  {
    name: 'coordinator-and-guardian-stopped',
    says: 'both stand still for longer than the lease, as on a paused machine',
    steps: [
      { do: 'stop', whom: ['coordinator', 'guardian'] },
      { do: 'wait', ms: leaseRunsOut + 300 },
      { do: 'continue', whom: ['coordinator', 'guardian'] },
    ],
    expect: { dead: 'all', within: leaseRunsOut, codes: [...lost, 'fenced'], told: leaseRunsOut + 3_000 },
  },
  {
    name: 'guardian-killed',
    says: 'the guardian is killed; another takes its place, and the work goes on',
    steps: [{ do: 'kill', whom: ['guardian'] }],
    expect: { dead: 'nobody', within: 0, guardian: guardianIsBack },
  },
  {
    name: 'guardian-then-coordinator-killed',
    says: 'the guardian is killed, and its coordinator somewhere before the next one is ready',
    steps: [
      { do: 'kill', whom: ['guardian'] },
      { do: 'wait', ms: [0, 150] },
      { do: 'kill', whom: ['coordinator'] },
    ],
    expect: { dead: 'all', within: bothLinksClosed },
  },
  {
    name: 'guardian-stopped',
    says: 'the guardian stands still until it is replaced, while something is cast',
    steps: [
      { do: 'stop', whom: ['guardian'] },
      { do: 'cast', job: 'tick' },
      { do: 'wait', ms: connect + 1_000 },
    ],
    // So few counters are registered ahead that what is cast has to ask the guardian.
    constants: { block: 2 },
    expect: { dead: 'nobody', within: 0, guardian: connect + guardianIsBack },
  },
  {
    name: 'agent-killed',
    says: 'the agent of a node is killed; its reaper ends what it ran',
    steps: [{ do: 'kill', whom: ['agent'] }],
    expect: { dead: 'node', within: reaperKills, codes: [...lost], told: surelyDown },
  },
  {
    name: 'agent-and-reaper-killed',
    says: 'agent and reaper are killed at once; the watchdogs of the executors end them',
    steps: [{ do: 'kill', whom: ['agent', 'reaper'] }],
    expect: { dead: 'node', within: reaperKills, codes: [...lost], told: surelyDown },
  },
  {
    name: 'agent-stopped',
    says: 'the agent stands still for longer than the lease; its reaper ends what it runs',
    steps: [
      { do: 'stop', whom: ['agent'] },
      { do: 'wait', ms: leaseRunsOut + 200 },
      { do: 'continue', whom: ['agent'] },
    ],
    expect: { dead: 'node', within: leaseRunsOut, codes: [...lost, 'executor_lost'], told: surelyDown },
  },
  {
    name: 'agent-restarted',
    says: 'a node is killed, and is back under the same address',
    steps: [{ do: 'kill', whom: ['agent'] }, { do: 'restart' }],
    expect: { dead: 'node', within: reaperKills, codes: [...lost], told: 1_500 },
  },
  {
    name: 'executors-killed',
    says: 'all executors of a node are killed; their requests say so, and the node lives',
    steps: [{ do: 'kill', whom: ['executors'] }],
    expect: { dead: 'all', within: reaperKills, codes: ['executor_lost'], told: 1_000 },
  },
  {
    name: 'node-machine-lost',
    says: 'a node is killed behind links that say nothing',
    steps: [
      { do: 'link', fault: { kind: 'hold' }, from: both, to: 'one' },
      { do: 'kill', whom: ['agent', 'reaper'] },
    ],
    expect: { dead: 'node', within: reaperKills, codes: [...lost], told: surelyDown },
  },
  {
    name: 'link-partitioned',
    says: 'a node is cut off from everybody for longer than the lease',
    steps: [
      { do: 'link', fault: { kind: 'hold' }, from: both, to: 'one' },
      { do: 'wait', ms: surelyDown },
      { do: 'heal' },
    ],
    expect: { dead: 'all', within: surelyDown, codes: [...lost], told: surelyDown },
  },
  {
    name: 'link-partitioned-briefly',
    says: 'a node is cut off for less than the lease; nothing is killed',
    steps: [
      { do: 'link', fault: { kind: 'hold' }, from: both, to: 'one' },
      { do: 'wait', ms: [100, 700] },
      { do: 'heal' },
    ],
    expect: { dead: 'nobody', within: 0 },
  },
  {
    name: 'link-silent-towards-the-node',
    says: 'what the coordinator and its guardian say is lost; the other direction works',
    steps: [{ do: 'link', fault: { kind: 'black-hole', direction: 'up' }, from: both, to: 'one' }],
    expect: { dead: 'all', within: surelyDown, codes: [...lost], told: surelyDown },
  },
  {
    name: 'link-silent-from-the-node',
    says: 'what the node says is lost; the other direction works',
    steps: [{ do: 'link', fault: { kind: 'black-hole', direction: 'down' }, from: both, to: 'one' }],
    expect: { dead: 'all', within: surelyDown, codes: [...lost], told: surelyDown },
  },
  {
    name: 'link-half-open',
    says: 'the node is told that the link is over, and the coordinator is not; the session goes on over another',
    steps: [{ do: 'link', fault: { kind: 'half-open', told: 'far' }, from: ['coordinator'], to: 'one' }],
    expect: { dead: 'nobody', within: 0 },
  },
  {
    name: 'link-reset',
    says: 'the link is reset at a byte in the middle of something; the session goes on over another',
    load: ['spin', 'fork', 'tick', 'flood'],
    steps: [{ do: 'link', fault: 'reset', from: ['coordinator'], to: 'one' }],
    expect: { dead: 'nobody', within: 0 },
  },
  {
    name: 'link-timeout',
    says: 'the link swallows everything, and is then reset; the session goes on over another',
    steps: [{ do: 'link', fault: 'timeout', from: ['coordinator'], to: 'one' }],
    expect: { dead: 'nobody', within: 0 },
  },
  {
    name: 'link-corrupts',
    says: 'one bit of what the coordinator says is wrong; the node refuses it or nobody is hurt',
    load: ['spin', 'fork', 'tick', 'flood'],
    steps: [
      { do: 'link', fault: { kind: 'corrupt', after: 20, direction: 'up' }, from: ['coordinator'], to: 'one' },
      { do: 'wait', ms: 700 },
    ],
    expect: { dead: 'any', within: surelyDown, codes: [...lost, 'protocol_error'] },
  },
  {
    name: 'link-replays',
    says: 'bytes that have passed come a second time; no row is given twice',
    load: ['spin', 'fork', 'tick', 'flood'],
    steps: [
      {
        do: 'link',
        fault: { kind: 'replay', bytes: 100_000, after: 200, direction: 'down' },
        from: ['coordinator'],
        to: 'one',
      },
      { do: 'wait', ms: 700 },
    ],
    expect: { dead: 'any', within: surelyDown, codes: [...lost, 'protocol_error'] },
  },
  {
    name: 'link-slow',
    says: 'every piece is late, and by how much changes; nothing is lost',
    steps: [{ do: 'link', fault: 'latency', from: both, to: 'all' }, { do: 'wait', ms: 800 }, { do: 'heal' }],
    expect: { dead: 'nobody', within: 0 },
  },
  {
    name: 'link-sliced',
    says: 'everything comes in pieces of a few bytes; nothing is lost',
    steps: [{ do: 'link', fault: 'slice', from: both, to: 'all' }, { do: 'wait', ms: 800 }, { do: 'heal' }],
    expect: { dead: 'nobody', within: 0 },
  },
  {
    name: 'link-narrow',
    says: 'a flood of rows meets little bandwidth; control passes it, and nobody is suspected for long',
    load: ['spin', 'fork', 'flood'],
    steps: [
      { do: 'link', fault: { kind: 'bandwidth', rate: 500_000 }, from: both, to: 'all' },
      { do: 'wait', ms: 1_000 },
      { do: 'kill', whom: ['coordinator'] },
    ],
    expect: { dead: 'all', within: guardianFences },
  },
  {
    name: 'files-exhausted',
    says: 'the agent has no file left while work comes; when it has again, it serves again',
    needs: 'prlimit',
    steps: [{ do: 'files', more: 1 }, { do: 'cast', job: 'spin' }, { do: 'wait', ms: 500 }, { do: 'files' }],
    expect: {
      dead: 'any',
      within: 5_000,
      codes: ['overloaded', 'unavailable', 'executor_lost', 'incomplete', ...lost],
    },
  },
  {
    name: 'disk-full',
    says: 'the disk of a node is full while work comes; what runs is unhurt, and when there is room it serves again',
    needs: 'mount',
    disk: 1 << 20,
    steps: [{ do: 'fill' }, { do: 'cast', job: 'write' }, { do: 'wait', ms: [300, 1_000] }, { do: 'room' }],
    expect: { dead: 'any', within: 5_000, codes: ['job_failed'], heard: 'job_failed' },
  },
];

/** What a row needs and this machine has not: why it is skipped; undefined where it can be tried. */
export function lacking({ needs }: Scenario): string | undefined {
  if (needs === 'prlimit' && !hasLimits()) return 'there is no command "prlimit" here';
  if (needs === 'mount' && !canMount()) return 'only root may mount a small file system';
  return undefined;
}

/** Rows that a proxy, signals and limits cannot show. */
export const skipped: readonly Skipped[] = [
  {
    name: 'one-way drops in the kernel',
    why: 'needs network namespaces and a packet filter; the proxy stands in for them',
  },
  { name: 'machine frozen with its guardian', why: 'needs a freezer cgroup; both are stopped by signals instead' },
  { name: 'memory and process limits of a job', why: 'needs a cgroup of its own for the node' },
  { name: 'wall clock jumps', why: 'needs libfaketime' },
  { name: 'clocks that drift, version skew, overload', why: 'tried in the simulation and in the end-to-end tests' },
];
