import { ClusterError } from '@muster/rexi';

/** When a child that has ended is started again: always, after a failure only, or never. */
export type RestartPolicy = 'permanent' | 'transient' | 'temporary';

/**
 * How a child is ended. A number: it is asked to stop, and after so many milliseconds killed. `infinity`: it is asked, and
 * has as long as it needs. `kill`: it is killed at once.
 */
export type Shutdown = number | 'infinity' | 'kill';

/** Who is started again with a child. `dynamic`: nobody, and its children start and stop beside each other. */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one' | 'dynamic';

/** Whether a supervisor ends when a significant child of it has ended for good, or the last of them. */
export type AutoShutdown = 'never' | 'any-significant' | 'all-significant';

/** A child that is up. */
export interface Running {
  /**
   * Settles when it has ended by itself: resolved, as it should; rejected, because it failed. Absent: it runs until it is
   * stopped.
   */
  readonly ended?: Promise<unknown> | undefined;
  /** Asks it to end, once; resolves when nothing of it is left. One that rejects has it killed, unless it was: then it is gone. */
  stop(): unknown;
  /** Its own children, when it is a supervisor. */
  which?(): readonly ChildInfo[];
}

/** What a supervisor knows about a child. */
export interface ChildSpec {
  /** Unique in its supervisor. */
  readonly id: string;
  /**
   * Starts it; the next child's turn comes when it has resolved. `signal` is aborted when the child must end at once: while it
   * starts because it is not wanted any more, later because its time for stopping is over. One that does not heed
   * it is given up after `killMs`; should it come up even later, it is stopped.
   */
  start(signal: AbortSignal): Running | Promise<Running>;
  /** Default `permanent`. */
  readonly restart?: RestartPolicy | undefined;
  /** Default 5000 ms, and `infinity` for a supervisor. */
  readonly shutdown?: Shutdown | undefined;
  /** Milliseconds that its start may take, or `infinity`. Default 30000, and `infinity` for a supervisor. */
  readonly startMs?: number | 'infinity' | undefined;
  /** Counts for `autoShutdown`. Default false. */
  readonly significant?: boolean | undefined;
  /** Default `worker`. */
  readonly kind?: 'worker' | 'supervisor' | undefined;
}

/** Milliseconds before a child is started again. */
export interface Backoff {
  /** Before the first restart; doubled with each that follows. */
  readonly firstMs: number;
  /** Never longer. A child that ran for so long begins with `firstMs` again. */
  readonly mostMs: number;
  /** From 0 to 1: the share of the wait that is left to chance, so that not all begin again at one moment. Default 0. */
  readonly jitter?: number | undefined;
}

/** The rules of a supervisor. Defaults are those of Erlang/OTP. */
export interface SupervisorRules {
  /** Default `one-for-one`. */
  readonly strategy?: Strategy | undefined;
  /** Started in this order and stopped in the reverse one. A dynamic supervisor begins without any. */
  readonly children?: readonly ChildSpec[] | undefined;
  /** More restarts than `maxRestarts` (default 1) within `withinMs` (default 5000) end the supervisor. */
  readonly intensity?: { readonly maxRestarts: number; readonly withinMs: number } | undefined;
  /** Default: started again at once. */
  readonly backoff?: Backoff | undefined;
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown | undefined;
  /** Milliseconds for which the end of a killed child is waited for. Default 5000. */
  readonly killMs?: number | undefined;
}

/** How a child has ended. */
export type Exit =
  /** By itself, and as it should. */
  | { readonly how: 'normal' }
  /** It failed. */
  | { readonly how: 'failed'; readonly error: unknown }
  /** Its start was rejected. */
  | { readonly how: 'start-failed'; readonly error: unknown }
  /** Its start has not answered in `startMs`. */
  | { readonly how: 'start-timeout' }
  /** It was asked to. */
  | { readonly how: 'stopped' }
  /** It was killed. */
  | { readonly how: 'killed' }
  /** It was killed and has not ended: something of it may be left. */
  | { readonly how: 'abandoned' };

/** What a supervisor tells. `run` numbers the starts of all its children. */
export type SupervisorEvent =
  /** A child is up for the first time. */
  | { readonly type: 'started'; readonly id: string; readonly run: number }
  /** A child is up again. `restarts`: how often it was. */
  | { readonly type: 'restarted'; readonly id: string; readonly run: number; readonly restarts: number }
  /** `restartIn`: it is started again because of this exit, after so many milliseconds; such exits count for the intensity. */
  | {
      readonly type: 'exited';
      readonly id: string;
      readonly run: number;
      readonly exit: Exit;
      readonly restartIn?: number;
    }
  /** More restarts than allowed: this child was the last, and the others are stopped. */
  | { readonly type: 'gave-up'; readonly id: string; readonly exit: Exit; readonly restarts: number };

/** Why a supervisor has ended. */
export type SupervisorEnd =
  | { readonly why: 'closed' }
  | { readonly why: 'aborted'; readonly reason: string }
  /** `autoShutdown`: this child was the last that mattered. */
  | { readonly why: 'significant'; readonly id: string }
  | { readonly why: 'gave-up'; readonly id: string; readonly exit: Exit; readonly restarts: number }
  /** One of the first children did not start. */
  | { readonly why: 'start-failed'; readonly id: string; readonly exit: Exit };

/** Where a child is. `waiting`: it will be started, when it is its turn. `down`: it will not, unless it is asked for. */
export type ChildState = 'waiting' | 'starting' | 'running' | 'stopping' | 'down';

/** A child as `which()` tells it. */
export interface ChildInfo {
  readonly id: string;
  readonly kind: 'worker' | 'supervisor';
  readonly state: ChildState;
  readonly restart: RestartPolicy;
  /** How often it came up again. */
  readonly restarts: number;
  /** Of a supervisor that is up. */
  readonly children?: readonly ChildInfo[];
}

/** What `count()` tells. */
export interface ChildCount {
  readonly specs: number;
  /** Those that are running. */
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
  /** Exits that were answered with a restart, since the supervisor began. */
  readonly restarts: number;
}

/** @throws ClusterError `bad_options`, with the child's id as `detail`. */
export function checkSpec(spec: ChildSpec, autoShutdown: AutoShutdown): void {
  const { id, restart = 'permanent', shutdown = 0, startMs = 1, significant = false } = spec;
  const bad = (what: string): ClusterError => new ClusterError('bad_options', `Child "${id}": ${what}`, { detail: id });
  if (typeof id !== 'string' || id === '') throw bad('give it an id, a string that is not empty.');
  if (typeof shutdown === 'number' && !(shutdown >= 0)) throw bad('shutdown takes milliseconds, "infinity" or "kill".');
  if (typeof startMs === 'number' && !(startMs > 0)) throw bad('startMs takes milliseconds, or "infinity".');
  // Both as in OTP: a permanent child never ends for good, and a flag that nothing heeds is a mistake.
  if (significant && restart === 'permanent') throw bad('a significant child is transient or temporary.');
  if (significant && autoShutdown === 'never') throw bad('for significant children, set autoShutdown.');
}

/** @throws ClusterError `bad_options`, with the option or the child's id as `detail`. */
export function checkRules(rules: SupervisorRules): void {
  const { strategy, children = [], intensity, backoff, autoShutdown = 'never', killMs = 0 } = rules;
  const must = (holds: boolean, detail: string, what: string): void => {
    if (!holds) throw new ClusterError('bad_options', what, { detail });
  };
  const { maxRestarts = 0, withinMs = 1 } = intensity ?? {};
  must(maxRestarts >= 0 && withinMs > 0, 'intensity', 'intensity takes maxRestarts from 0 and withinMs above 0.');
  const { firstMs = 0, mostMs = 0, jitter = 0 } = backoff ?? {};
  must(firstMs >= 0 && mostMs >= firstMs, 'backoff', 'backoff takes firstMs from 0, and mostMs not below it.');
  must(jitter >= 0 && jitter <= 1, 'backoff', 'backoff.jitter is a share from 0 to 1.');
  must(killMs >= 0, 'killMs', 'killMs takes milliseconds.');
  must(strategy !== 'dynamic' || children.length === 0, 'children', 'A dynamic supervisor begins without children.');
  const ids = new Set(children.map(({ id }) => id));
  must(ids.size === children.length, 'children', 'Each child needs an id of its own.');
  for (const spec of children) checkSpec(spec, autoShutdown);
}
