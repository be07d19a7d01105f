export { startNode } from './node/start.ts';
export type { NodeOptions, WorkerNode } from './node/start.ts';
export type { LaneOptions } from './node/lanes.ts';
export { isLogLevel } from './log/log.ts';
export type { Facts, Log } from './log/log.ts';
export { job } from './job/job.ts';
export type { JobContext } from './job/context.ts';

// For other commands that take a secret from a file.
export { readSecret } from './bin/secret.ts';

// The seam under the agent, for tests and simulation.
export { Agent } from './node/agent.ts';
export type { AgentOptions } from './node/agent.ts';
export { Lanes } from './node/lanes.ts';
export { Objects } from './node/objects.ts';
export type { ObjectsOptions } from './node/objects.ts';
export { Sessions } from './node/sessions.ts';
export type * from './executor/executor.ts';

// Supervision, usable on its own.
export { startSupervisor, Supervisor } from './supervisor/supervisor.ts';
export type { SupervisorOptions } from './supervisor/supervisor.ts';
export { supervisorChild } from './supervisor/nested.ts';
export type * from './supervisor/spec.ts';
