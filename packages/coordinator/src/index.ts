export { connect } from './connect.ts';
export { Cluster } from './cluster.ts';
export type { NodeInfo } from './cluster.ts';
export type { ConnectOptions, Seams } from './options.ts';
export type {
  CallOptions,
  InlineUpTo,
  NodeQuestion,
  NoticeSource,
  ReduceOptions,
  RequestOptions,
  ScatterOptions,
  Shard,
  ShardMap,
  StreamOptions,
} from './request.ts';
export { placeOf, rendezvous } from './placement/key-hash.ts';
export { ring, shardOf } from './placement/ring.ts';
export type { Ring, RingNode, RingOptions, RingShard } from './placement/ring.ts';
export { moveCopy, splitShard } from './placement/change-ring.ts';
export { sharesOf } from './placement/evenness.ts';
export type { NodeShare } from './placement/evenness.ts';
export type { MergeBy } from './row-order.ts';
export { progressBar } from './progress/progress-bar.ts';
export type { ProgressBar, ProgressOptions, ProgressStream } from './progress/progress-bar.ts';
export { RowStream } from './row-stream.ts';
export type { GatherStats } from './gather-order.ts';
export { ScatterError } from './exit-error.ts';
export type { MissingPart } from './exit-error.ts';
export type { ClusterJobs, Sendable, Wire } from './typed.ts';
export type { NodeState } from './node.ts';

// For people and their tools.
export { operate, Operator } from './operator/operator.ts';
export type { Answers, JobSelection, KillOutcome, NodeAnswer, NodeFailure, Selection } from './operator/operator.ts';
export type { OperateOptions, OperateSeams, OperatingRole } from './operator/options.ts';

// For simulations, which put another guardian behind the same pipe.
export { GuardianCore } from './guardian/guardian-core.ts';
export type { GuardianEffect } from './guardian/guardian-core.ts';
export type { FromGuardian, ToGuardian } from './guardian/pipe.ts';
export type { GuardianEvents, GuardianProcess, SpawnGuardian } from './guardianship.ts';
