import type { Clock, Entropy, Timer } from '@muster/rexi';
import { ClusterError, systemClock, systemEntropy } from '@muster/rexi';
import type { Happening, SupervisorEffect } from './happening.ts';
import { Hold } from './hold.ts';
import type {
  ChildCount,
  ChildInfo,
  ChildSpec,
  Running,
  SupervisorEnd,
  SupervisorEvent,
  SupervisorRules,
} from './spec.ts';
import { checkRules, checkSpec } from './spec.ts';
import { SupervisorCore } from './supervisor-core.ts';

export interface SupervisorOptions extends SupervisorRules {
  /** Takes what happens, in order. What it throws is uncaught. Default: nobody. */
  readonly on?: ((event: SupervisorEvent) => void) | undefined;
  /** For tests and simulation. */
  readonly seams?: { readonly clock?: Clock; readonly entropy?: Entropy } | undefined;
}

/** One start of a child, as long as anything may be left of it. */
interface Run {
  readonly controller: AbortController;
  running: Running | undefined;
  asked: boolean;
}

/** Somebody who waits for what becomes of a child. */
interface Waiter {
  /** The run whose end is waited for; undefined: for the child to be up. */
  readonly run: number | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts a supervisor, and its children in their order; resolves when all of them are up.
 * @throws ClusterError `bad_options` for rules that are wrong; `unavailable` when a child could not be started, with its
 * id as `detail`: those that were started have been stopped then.
 */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  checkRules(options);
  const supervisor = new Supervisor(options);
  await supervisor.up;
  return supervisor;
}

/**
 * Keeps its children running by the rules of Erlang/OTP's supervisor: a shell that performs what `SupervisorCore` decides.
 * What differs from OTP, because nothing in one process can be killed from outside: `kill` is an abort signal, children
 * that do not heed it are given up, and starts take place beside everything else rather than one before the other.
 *
 * While a child starts, stops, or waits for its next start, the process stays alive; children that are up do that themselves.
 */
export class Supervisor {
  /** Resolves when the first children are up; rejects when the supervisor has ended before. */
  readonly up: Promise<void>;
  /** Resolves when it has ended and no child is left, with the reason. Never rejects. */
  readonly ended: Promise<SupervisorEnd>;
  readonly #core: SupervisorCore;
  readonly #clock: Clock;
  readonly #options: SupervisorOptions;
  readonly #runs: Map<number, Run> = new Map();
  readonly #waiters: Map<string, Waiter[]> = new Map();
  /** By child: why it is not up, as it was told last. */
  readonly #exits: Map<string, unknown> = new Map();
  readonly #hold: Hold = new Hold();
  readonly #effects: SupervisorEffect[] = [];
  #performing = false;
  #timer: { readonly at: number; readonly timer: Timer } | undefined;
  #cameUp: () => void = () => undefined;
  #ended: (end: SupervisorEnd) => void = () => undefined;

  /** @internal Use `startSupervisor`. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#clock = options.seams?.clock ?? systemClock;
    this.#core = new SupervisorCore(options, options.seams?.entropy ?? systemEntropy);
    this.ended = new Promise((resolve) => (this.#ended = resolve));
    this.up = new Promise((resolve, reject) => {
      this.#cameUp = resolve;
      void this.ended.then((end) => reject(errorOf(end)));
    });
    // Who asks is told; that nobody asks is no fault.
    this.up.catch(() => undefined);
    this.#perform(this.#core.begin(this.#clock.now()));
  }

  /**
   * One more child, last in start order; resolves when it is up. One that does not start is not kept.
   * @throws ClusterError `bad_options` for a spec that is wrong or an id that is taken; `unavailable` with the cause when
   * it did not start; `closed` when the supervisor ends.
   */
  async add(spec: ChildSpec): Promise<void> {
    this.#checkOpen();
    checkSpec(spec, this.#options.autoShutdown ?? 'never');
    if (this.#core.child(spec.id) !== undefined) throw bad(spec.id, 'there is one already; remove it first.');
    await this.#order({ type: 'add', spec }, spec.id, undefined);
  }

  /**
   * Starts a child that is down, or that waits to be started again; resolves when it is up. One that does not start stays down.
   * @throws ClusterError as `add`; `bad_options` when there is no such child, or it is not down.
   */
  async start(id: string): Promise<void> {
    const { state } = this.#known(id);
    if (state !== 'down' && state !== 'waiting') throw bad(id, `it is ${state}; stop it first.`);
    await this.#order({ type: 'start', id }, id, undefined);
  }

  /**
   * Stops a child alone, whatever the strategy; resolves when it is gone. It stays down until it is started, or its group is. A
   * temporary one is forgotten. As OTP's terminate_child.
   * @throws ClusterError `bad_options` when there is no such child; `closed` when the supervisor ends.
   */
  async stop(id: string): Promise<void> {
    this.#known(id);
    const run = this.#core.runOf(id);
    if (run === undefined) this.#take({ type: 'stop', id });
    else await this.#order({ type: 'stop', id }, id, run);
  }

  /** Forgets a child that is down. @throws ClusterError `bad_options` when there is none, or it is not down. */
  remove(id: string): void {
    const { state } = this.#known(id);
    if (state !== 'down') throw bad(id, `it is ${state}; stop it first.`);
    this.#take({ type: 'remove', id });
    this.#exits.delete(id);
  }

  /** The children in start order, and theirs. */
  which(): readonly ChildInfo[] {
    return this.#core.which().map((info) => {
      const run = this.#core.runOf(info.id);
      const children = run === undefined ? undefined : this.#runs.get(run)?.running?.which?.();
      return children === undefined ? info : { ...info, children };
    });
  }

  count(): ChildCount {
    return this.#core.count();
  }

  /** Stops the children in reverse start order, and ends. May be called twice. */
  async close(): Promise<void> {
    this.#take({ type: 'close' });
    await this.ended;
  }

  /** Kills all children at once, and ends. May be called twice, and after `close`. */
  async abort(reason: string): Promise<void> {
    this.#take({ type: 'abort', reason });
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    if (this.#core.ending) throw new ClusterError('closed', 'The supervisor ends: nothing is started any more.');
  }

  #known(id: string): ChildInfo {
    this.#checkOpen();
    const child = this.#core.child(id);
    if (child === undefined) throw bad(id, 'there is none; which() lists them.');
    return child;
  }

  async #order(happening: Happening, id: string, run: number | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const waiters = this.#waiters.get(id) ?? [];
      this.#waiters.set(id, [...waiters, { run, resolve, reject }]);
      this.#take(happening);
      this.#answer(id);
    });
  }

  #take(happening: Happening): void {
    this.#perform(this.#core.handle(happening, this.#clock.now()));
  }

  /** In the order of the decisions, also when what is called here asks for more. */
  #perform(effects: readonly SupervisorEffect[]): void {
    this.#arm();
    this.#hold.set(!this.#core.settled);
    this.#effects.push(...effects);
    if (this.#performing) return;
    this.#performing = true;
    for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) this.#do(next);
    this.#performing = false;
  }

  #do(effect: SupervisorEffect): void {
    switch (effect.do) {
      case 'start':
        return void this.#start(effect.spec, effect.run);
      case 'stop':
        return void this.#stop(effect.run);
      case 'kill':
        return this.#kill(effect.run, effect.why);
      case 'tell':
        return this.#tell(effect.event);
      case 'up':
        return this.#cameUp();
      case 'end':
        this.#ended(effect.end);
        for (const id of this.#waiters.keys()) this.#answer(id);
    }
  }

  async #start(spec: ChildSpec, run: number): Promise<void> {
    const controller = new AbortController();
    const entry: Run = { controller, running: undefined, asked: false };
    this.#runs.set(run, entry);
    try {
      // In a turn of its own: a start that throws, or answers at once, does so like one that does not.
      await Promise.resolve();
      entry.running = await spec.start(controller.signal);
    } catch (error) {
      this.#runs.delete(run);
      return this.#take({ type: 'start-failed', run, error });
    }
    const { ended } = entry.running;
    this.#take({ type: 'started', run });
    ended?.then(
      () => this.#over({ type: 'ended', run, exit: { how: 'normal' } }),
      (error: unknown) => this.#over({ type: 'ended', run, exit: { how: 'failed', error } }),
    );
  }

  #over(happening: Extract<Happening, { run: number }>): void {
    this.#runs.delete(happening.run);
    this.#take(happening);
  }

  async #stop(run: number): Promise<void> {
    const entry = this.#runs.get(run);
    if (entry?.running === undefined || entry.asked) return;
    entry.asked = true;
    try {
      await Promise.resolve();
      await entry.running.stop();
      this.#over({ type: 'stopped', run });
    } catch {
      this.#take({ type: 'stop-failed', run });
      this.#runs.delete(run);
    }
  }

  #kill(run: number, why: string): void {
    const entry = this.#runs.get(run);
    entry?.controller.abort(new ClusterError('killed', `The supervisor has killed it: ${why}.`));
    void this.#stop(run);
  }

  #tell(event: SupervisorEvent): void {
    if (event.type === 'exited') {
      const { exit, run } = event;
      // A start that has not answered is kept: whenever it does, what has come up is stopped.
      if (this.#runs.get(run)?.running !== undefined) this.#runs.delete(run);
      this.#exits.set(event.id, 'error' in exit ? exit.error : undefined);
    }
    try {
      this.#options.on?.(event);
    } catch (error) {
      // Who listens must not keep a child from its start: the error is as uncaught as it would be anywhere else.
      void Promise.reject(error);
    }
    this.#answer(event.id);
    if (this.#core.child(event.id) === undefined) this.#exits.delete(event.id);
  }

  /** Answers those whose child has come to where they wait for it. */
  #answer(id: string): void {
    const waiters = this.#waiters.get(id);
    if (waiters === undefined) return;
    const state = this.#core.child(id)?.state ?? 'down';
    const run = this.#core.runOf(id);
    const left = waiters.filter((waiter) => {
      if (waiter.run !== undefined) {
        if (waiter.run === run) return true;
        waiter.resolve();
      } else if (state === 'running') waiter.resolve();
      else if (state === 'down') waiter.reject(this.#notUp(id));
      else return true;
      return false;
    });
    if (left.length === 0) this.#waiters.delete(id);
    else this.#waiters.set(id, left);
  }

  #notUp(id: string): ClusterError {
    if (this.#core.ending) return new ClusterError('closed', `Child "${id}" was not started: the supervisor ends.`);
    return new ClusterError('unavailable', `Child "${id}" has not come up.`, {
      detail: id,
      cause: this.#exits.get(id),
    });
  }

  /** One timer, for the next thing that is due. */
  #arm(): void {
    const at = this.#core.nextAt;
    if (this.#timer?.at === at) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (at === Infinity) return;
    const timer = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#take({ type: 'tick' });
    });
    this.#timer = { at, timer };
  }
}

function bad(id: string, what: string): ClusterError {
  return new ClusterError('bad_options', `Child "${id}": ${what}`, { detail: id });
}

/** The end of a supervisor as an error, for those who expected it to be up: code `closed`, or `unavailable` for a failure. */
export function errorOf(end: SupervisorEnd): ClusterError {
  switch (end.why) {
    case 'closed':
      return new ClusterError('closed', 'The supervisor was closed.');
    case 'aborted':
      return new ClusterError('closed', `The supervisor was aborted: ${end.reason}`);
    case 'significant':
      return new ClusterError('closed', `The supervisor has ended with its child "${end.id}".`, { detail: end.id });
    case 'gave-up':
    case 'start-failed': {
      const cause = 'error' in end.exit ? end.exit.error : undefined;
      const what = end.why === 'gave-up' ? `was started again too often (${end.restarts} times)` : 'did not start';
      return new ClusterError('unavailable', `Child "${end.id}" ${what}: ${saying(end.exit.how, cause)}`, {
        detail: end.id,
        cause,
      });
    }
  }
}

function saying(how: string, cause: unknown): string {
  return cause instanceof Error ? `${how}, ${cause.message}` : how;
}
