import type { ChildSpec, Exit, SupervisorEnd, SupervisorEvent } from './spec.ts';

/** What happens to a supervisor. `run` is the number that its effect `start` gave; those that are over are ignored. */
export type Happening =
  | { readonly type: 'started'; readonly run: number }
  /** The start was rejected. */
  | { readonly type: 'start-failed'; readonly run: number; readonly error: unknown }
  /** The child has ended by itself. */
  | { readonly type: 'ended'; readonly run: number; readonly exit: Extract<Exit, { how: 'normal' | 'failed' }> }
  /** `stop()` has resolved: nothing of it is left. */
  | { readonly type: 'stopped'; readonly run: number }
  /** `stop()` was rejected: it is killed, or was, and is gone then. */
  | { readonly type: 'stop-failed'; readonly run: number }
  | { readonly type: 'add'; readonly spec: ChildSpec }
  /** Ends one child, and leaves its spec. OTP: terminate_child. */
  | { readonly type: 'stop'; readonly id: string }
  /** Starts one that is down, or waits. OTP: restart_child. */
  | { readonly type: 'start'; readonly id: string }
  /** Forgets one that is down. OTP: delete_child. */
  | { readonly type: 'remove'; readonly id: string }
  | { readonly type: 'close' }
  | { readonly type: 'abort'; readonly reason: string }
  /** `nextAt` has come. */
  | { readonly type: 'tick' };

export type SupervisorEffect =
  | { readonly do: 'start'; readonly spec: ChildSpec; readonly run: number }
  /** Call its `stop()`, also where it has come up when nobody wanted it any more. */
  | { readonly do: 'stop'; readonly run: number }
  /** Abort its signal; and its `stop()`, if that was not called, tells when it is gone. */
  | { readonly do: 'kill'; readonly run: number; readonly why: string }
  | { readonly do: 'tell'; readonly event: SupervisorEvent }
  /** The first children are up. */
  | { readonly do: 'up' }
  /** No child is left. */
  | { readonly do: 'end'; readonly end: SupervisorEnd };
