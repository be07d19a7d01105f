import type { ChildInfo, ChildSpec, Exit } from './spec.ts';

/**
 * Where a child is, with what is true there. Times are of the supervisor's clock.
 *
 *     down <──> waiting ──> starting ──> running
 *      ^                        └──> stopping <┘
 *      └──────────(its run is over)──────┘
 */
export type Phase =
  | { readonly is: 'down' }
  /** Not before it is due, and not before its turn. */
  | { readonly is: 'waiting' }
  | { readonly is: 'starting'; readonly run: number; readonly until: number }
  | { readonly is: 'running'; readonly run: number; readonly since: number }
  | {
      readonly is: 'stopping';
      readonly run: number;
      /** What was last done about it: its start taken back, asked to stop, killed. */
      readonly by: 'abort' | 'stop' | 'kill';
      readonly until: number;
      /** Why it has to end, where that is its own failure. */
      readonly failure?: Exit | undefined;
    };

/** What becomes of a child that others end, when it has. */
export type Then = 'start' | 'down' | 'remove';

/** A child as the core knows it. */
export interface Child {
  readonly spec: ChildSpec;
  phase: Phase;
  /** It has to end, whatever it does until then: nothing of that is a failure. */
  doom: Then | undefined;
  /**
   * It is started because somebody asked for it. A failed start then ends the supervisor (`boot`), the child (`add`), or
   * leaves it down (`again`); any other is one more restart. As in OTP.
   */
  asked: 'boot' | 'add' | 'again' | undefined;
  /** It is not started before. */
  due: number;
  /** How often it came up. */
  ups: number;
  /** Restarts in a row, for the backoff. */
  attempts: number;
}

export function newChild(spec: ChildSpec, asked: 'boot' | 'add', now: number): Child {
  return { spec, asked, phase: { is: 'waiting' }, doom: undefined, due: now, ups: 0, attempts: 0 };
}

/** The number of its start, while anything may be left of that. */
export function runOf({ phase }: Child): number | undefined {
  return 'run' in phase ? phase.run : undefined;
}

/** When its phase runs out, unless something happens before. */
export function endOf({ phase, due }: Child): number {
  return phase.is === 'waiting' ? due : 'until' in phase ? phase.until : Infinity;
}

/** It is on the way from up to down, or from down to up. */
export function isMoving({ is }: Phase): boolean {
  return is !== 'down' && is !== 'running';
}

/** Milliseconds it has from the moment in which it is to end, until it is killed. */
export function graceOf({ shutdown, kind }: ChildSpec): number {
  // A supervisor needs as long as its children need, so its own time would only cut theirs short. As in OTP.
  if (shutdown === undefined) return kind === 'supervisor' ? Infinity : 5_000;
  return shutdown === 'infinity' ? Infinity : shutdown === 'kill' ? 0 : shutdown;
}

/** Milliseconds its start may take. OTP waits for ever, and its supervisor with it. */
export function startTimeOf({ startMs, kind }: ChildSpec): number {
  if (startMs === undefined) return kind === 'supervisor' ? Infinity : 30_000;
  return startMs === 'infinity' ? Infinity : startMs;
}

export function infoOf({ spec, phase, ups }: Child): ChildInfo {
  const { id, kind = 'worker', restart = 'permanent' } = spec;
  return { id, kind, state: phase.is, restart, restarts: Math.max(0, ups - 1) };
}
