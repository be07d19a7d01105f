// For those who submit jobs.
export { Cluster } from './cluster.ts';
export type { LocalOptions } from './local/local-cluster.ts';
export {
  connect,
  moveCopy,
  placeOf,
  progressBar,
  rendezvous,
  ring,
  RowStream,
  ScatterError,
  shardOf,
  sharesOf,
  splitShard,
} from '@muster/coordinator';
export type {
  CallOptions,
  ClusterJobs,
  ConnectOptions,
  GatherStats,
  InlineUpTo,
  MergeBy,
  MissingPart,
  NodeInfo,
  NodeQuestion,
  NodeShare,
  NodeState,
  NoticeSource,
  ReduceOptions,
  ProgressBar,
  ProgressOptions,
  RequestOptions,
  Ring,
  RingNode,
  RingOptions,
  RingShard,
  ScatterOptions,
  Shard,
  ShardMap,
  StreamOptions,
  Wire,
} from '@muster/coordinator';

// For those who look into a cluster, and change what runs there.
export { operate, Operator } from '@muster/coordinator';
export type {
  Answers,
  JobSelection,
  KillOutcome,
  NodeAnswer,
  NodeFailure,
  OperateOptions,
  OperatingRole,
  Selection,
} from '@muster/coordinator';

// For those who write jobs, or start nodes from code.
export { job, startNode } from '@muster/worker';
export type { JobContext, LaneOptions, Log, NodeOptions, WorkerNode } from '@muster/worker';

// For parts of a service that are to be kept running.
export { startSupervisor, Supervisor, supervisorChild } from '@muster/worker';
export type {
  AutoShutdown,
  Backoff,
  ChildCount,
  ChildInfo,
  ChildSpec,
  ChildState,
  Exit,
  RestartPolicy,
  Running,
  Shutdown,
  Strategy,
  SupervisorEnd,
  SupervisorEvent,
  SupervisorOptions,
  SupervisorRules,
} from '@muster/worker';

// Values that stay where they were made.
export { ObjectRef, StoreError } from '@muster/store';
export type { StoreErrorCode } from '@muster/store';

// What can go wrong.
export { ClusterError, JobError } from '@muster/rexi';
export type {
  Constants,
  ErrorCode,
  FailureFacts,
  JobFacts,
  KillOrder,
  LogLevel,
  NodeFacts,
  SessionFacts,
  TlsOptions,
} from '@muster/rexi';

// What a request is done for.
export { isTraceparent } from '@muster/rexi';
export type { Trace } from '@muster/rexi';
