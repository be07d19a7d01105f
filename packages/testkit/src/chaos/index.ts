// A cluster of real processes that can be hurt.
export { chaosLab, Begun, ChaosLab } from './lab/chaos-lab.ts';
export type { ChaosLabOptions, Within } from './lab/chaos-lab.ts';
export { ChaosError } from './chaos-error.ts';
export type { Orphan } from './lab/orphans.ts';
export type { LabEvent } from './lab/timeline.ts';
export type { Party } from './lab/network.ts';
export type { RequestState, Verb } from './coordinator/words.ts';
export { CoordinatorProcess } from './coordinator/coordinator-process.ts';
export type { Limits } from './process/limits.ts';
export { hasLimits, limitProcess } from './process/limits.ts';
export { chaosMatchers } from './lab/matchers.ts';
export type { ChaosMatchers } from './lab/matchers.ts';

// Links that can be hurt.
export { Proxy } from './proxy/proxy.ts';
export type { ProxyEvent, ProxyOptions, WireFilter } from './proxy/proxy.ts';
export { Wire } from './proxy/wire.ts';
export type { Direction } from './proxy/way.ts';
export type { LinkFault, LinkFaultKind, ScheduleOptions, TimedFault } from './proxy/link-fault.ts';
export { drawFault, linkFaultKinds, scheduleOf } from './proxy/link-fault.ts';

// Parts for a rig of one's own.
export { NodeProcess, workerCommand } from './lab/node-process.ts';
export type { Line, NodeProcessOptions } from './lab/node-process.ts';
export { Child, eachLine, now } from './process/child.ts';
export type { Ending } from './process/child.ts';
export {
  changedAt,
  childrenOf,
  descriptorsOf,
  filesBelow,
  isAlive,
  isExecutors,
  isStopped,
  processesWith,
  processOf,
  residentOf,
  socketsOn,
} from './process/machine.ts';
export type { ProcessFacts } from './process/machine.ts';
export { failureOf, throughout, until, within } from './process/wait.ts';
