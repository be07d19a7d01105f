import type { Entropy } from '@muster/rexi';
import { Agenda } from '../node/agenda.ts';
import type { Child, Phase, Then } from './child.ts';
import { endOf, graceOf, infoOf, isMoving, newChild, runOf, startTimeOf } from './child.ts';
import type { Happening, SupervisorEffect } from './happening.ts';
import { Intensity, waitOf } from './intensity.ts';
import type { ChildCount, ChildInfo, Exit, SupervisorEnd, SupervisorEvent, SupervisorRules } from './spec.ts';

/**
 * Which child is started, stopped and killed when. Pure: events and the time come in, effects come out; the shell
 * (supervisor.ts) performs them and brings the time when `nextAt` has come.
 *
 * There are no sequences that could be interrupted: each event changes what is true of the children, and then one look at
 * all of them (`#settle`) finds who may be stopped and who may be started now. So orders hold whatever happens between:
 *
 * - a child that has to end is asked when no child after it has to end any more;
 * - a child is started when those before it are up and nothing has to end (one-for-one: only the first time).
 */
export class SupervisorCore {
  readonly #rules: SupervisorRules;
  readonly #entropy: Entropy;
  readonly #intensity: Intensity;
  /** In start order. */
  readonly #children: Map<string, Child> = new Map();
  readonly #runs: Map<number, Child> = new Map();
  readonly #agenda: Agenda<Child> = new Agenda();
  /** Children of a dynamic supervisor with which something may have to be done: it has too many to look at all of them. */
  readonly #touched: Set<Child> = new Set();
  #effects: SupervisorEffect[] = [];
  /** Children that wait, start or stop. */
  #moving = 0;
  #lastRun = 0;
  #restarts = 0;
  #up = false;
  #end: SupervisorEnd | undefined;
  #brutal: string | undefined;
  #over = false;

  constructor(rules: SupervisorRules, entropy: Entropy) {
    this.#rules = rules;
    this.#entropy = entropy;
    const { maxRestarts, withinMs } = rules.intensity ?? { maxRestarts: 1, withinMs: 5_000 };
    this.#intensity = new Intensity(maxRestarts, withinMs);
  }

  /** Starts the first children. Once, first. */
  begin(now: number): readonly SupervisorEffect[] {
    for (const spec of this.#rules.children ?? []) this.#add(newChild(spec, 'boot', now));
    return this.#flush(now);
  }

  handle(happening: Happening, now: number): readonly SupervisorEffect[] {
    this.#take(happening, now);
    return this.#flush(now);
  }

  /** When it wants to be asked again, whatever happens until then; Infinity for never. */
  get nextAt(): number {
    return this.#agenda.first?.at ?? Infinity;
  }

  /** It is about to end, or has. */
  get ending(): boolean {
    return this.#end !== undefined;
  }

  /** Each child is up or down: nothing happens unless somebody does something. */
  get settled(): boolean {
    return this.#moving === 0;
  }

  child(id: string): ChildInfo | undefined {
    const child = this.#children.get(id);
    return child && infoOf(child);
  }

  /** The number of a child's start, while anything may be left of that. */
  runOf(id: string): number | undefined {
    const child = this.#children.get(id);
    return child && runOf(child);
  }

  /** In start order. */
  which(): readonly ChildInfo[] {
    return Array.from(this.#children.values(), infoOf);
  }

  count(): ChildCount {
    const all = [...this.#children.values()];
    const supervisors = all.filter(({ spec }) => spec.kind === 'supervisor').length;
    const active = all.filter(({ phase }) => phase.is === 'running').length;
    return { specs: all.length, active, supervisors, workers: all.length - supervisors, restarts: this.#restarts };
  }

  get #dynamic(): boolean {
    return this.#rules.strategy === 'dynamic';
  }

  #flush(now: number): readonly SupervisorEffect[] {
    this.#settle(now);
    // After the event: a child that has answered in time is not blamed for a process that was busy.
    for (let due = this.#agenda.first; due !== undefined && due.at <= now; due = this.#agenda.first) {
      this.#agenda.delete(due.key);
      this.#expire(due.key, now);
      this.#settle(now);
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #take(it: Happening, now: number): void {
    switch (it.type) {
      case 'tick':
        return;
      case 'add':
        if (!this.ending) this.#add(newChild(it.spec, 'add', now));
        return;
      case 'close':
        return this.#finish({ why: 'closed' });
      case 'abort':
        return this.#abort(it.reason, now);
      case 'stop':
      case 'start':
      case 'remove':
        return this.#order(it.type, this.#children.get(it.id), now);
      default:
        return this.#hear(it, this.#runs.get(it.run), now);
    }
  }

  #order(order: 'stop' | 'start' | 'remove', child: Child | undefined, now: number): void {
    if (child === undefined || this.ending) return;
    const { is } = child.phase;
    if (order === 'stop') this.#doom(child, this.#isTemporary(child) ? 'remove' : 'down');
    else if (order === 'remove' && is === 'down') this.#children.delete(child.spec.id);
    else if (order === 'start' && (is === 'down' || is === 'waiting')) {
      if (is === 'down') child.asked = 'again';
      this.#wait(child, now);
    }
  }

  #hear(it: Extract<Happening, { run: number }>, child: Child | undefined, now: number): void {
    if (child === undefined) {
      // It came up after it was given up: nobody else would end it.
      if (it.type === 'started') this.#effects.push({ do: 'stop', run: it.run });
      return;
    }
    const { phase } = child;
    if (it.type === 'started') {
      if (phase.is === 'starting') return this.#cameUp(child, now);
      if (phase.is !== 'stopping') return;
      this.#effects.push({ do: 'stop', run: it.run });
      return this.#enter(child, { ...phase, by: phase.by === 'kill' ? 'kill' : 'stop' });
    }
    // One that was killed has answered with that: there is nothing more that it could say.
    if (it.type === 'stop-failed' && !(phase.is === 'stopping' && phase.by === 'kill'))
      return this.#kill(child, 'it could not be stopped', now);
    if (it.type === 'start-failed' && phase.is === 'starting')
      return this.#gone(child, { how: 'start-failed', error: it.error }, now);
    this.#gone(child, exitOf(it, phase), now);
  }

  #cameUp(child: Child, now: number): void {
    const run = runOf(child) as number;
    const { id } = child.spec;
    child.asked = undefined;
    child.ups += 1;
    this.#enter(child, { is: 'running', run, since: now });
    this.#tell(
      child.ups === 1 ? { type: 'started', id, run } : { type: 'restarted', id, run, restarts: child.ups - 1 },
    );
  }

  /** Nothing of its run is left, or nothing more can be done about it. */
  #gone(child: Child, exit: Exit, now: number): void {
    const run = runOf(child) as number;
    const before = child.phase;
    this.#runs.delete(run);
    this.#enter(child, { is: 'down' });
    const then = child.doom;
    child.doom = undefined;
    const restartIn = then === undefined ? this.#judge(child, exit, before, now) : undefined;
    const { id } = child.spec;
    this.#tell({ type: 'exited', id, run, exit, ...(restartIn === undefined ? {} : { restartIn }) });
    if (then === undefined) return this.#after(child, exit, restartIn, now);
    if (then !== 'start') child.asked = undefined;
    if (then === 'remove') this.#children.delete(id);
    else if (then === 'start') this.#enter(child, { is: 'waiting' });
  }

  /** A child has ended that should not have: milliseconds until it is started again, or undefined for not. */
  #judge(child: Child, exit: Exit, before: Phase, now: number): number | undefined {
    const { restart = 'permanent' } = child.spec;
    if (child.asked !== undefined || restart === 'temporary') return undefined;
    if (restart === 'transient' && exit.how === 'normal') return undefined;
    if (!this.#intensity.allows(now)) {
      this.#finish({ why: 'gave-up', id: child.spec.id, exit, restarts: this.#restarts });
      return undefined;
    }
    this.#restarts += 1;
    const { backoff } = this.#rules;
    if (before.is === 'running' && now - before.since >= (backoff?.mostMs ?? 0)) child.attempts = 0;
    return waitOf(backoff, child.attempts++, this.#entropy);
  }

  #after(child: Child, exit: Exit, restartIn: number | undefined, now: number): void {
    const { id, significant = false } = child.spec;
    const { asked } = child;
    if (restartIn !== undefined) return this.#restart(child, now + restartIn);
    if (this.#isTemporary(child) || asked === 'add') this.#children.delete(id);
    if (asked === 'boot') return this.#finish({ why: 'start-failed', id, exit });
    child.asked = undefined;
    if (this.#end?.why === 'gave-up') return this.#tell({ type: 'gave-up', id, exit, restarts: this.#restarts });
    if (significant && asked === undefined && this.#mattered()) this.#finish({ why: 'significant', id });
  }

  /** Whether the end of a significant child is one for the supervisor: only one that ended by itself is asked about. */
  #mattered(): boolean {
    const { autoShutdown } = this.#rules;
    if (autoShutdown !== 'all-significant') return autoShutdown === 'any-significant';
    return ![...this.#children.values()].some(({ spec, phase }) => spec.significant && phase.is !== 'down');
  }

  /**
   * It is started again at `until`, and with it whom the strategy names. In a group this goes also for those that had ended
   * for good or were stopped by hand: the group begins anew, as in OTP. Temporary children end with it and do not come back.
   */
  #restart(child: Child, until: number): void {
    this.#wait(child, until);
    const { strategy } = this.#rules;
    if (strategy !== 'one-for-all' && strategy !== 'rest-for-one') return;
    const all = [...this.#children.values()];
    const group = strategy === 'one-for-all' ? all : all.slice(all.indexOf(child) + 1);
    for (const other of group) {
      if (other === child) continue;
      // None of the group begins before all of it may.
      other.due = Math.max(other.due, until);
      if (runOf(other) === undefined) this.#enter(other, { is: 'waiting' });
      else this.#doom(other, this.#isTemporary(other) ? 'remove' : 'start');
    }
  }

  #finish(end: SupervisorEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const child of this.#children.values()) this.#doom(child, 'down');
  }

  #abort(reason: string, now: number): void {
    this.#finish({ why: 'aborted', reason });
    this.#brutal = reason;
    // All at once: each has the whole time, and none waits for one that does not end.
    for (const child of [...this.#children.values()].toReversed()) this.#kill(child, reason, now);
  }

  /** It has to end; when it is its turn, it is told. */
  #doom(child: Child, then: Then): void {
    if (runOf(child) !== undefined) {
      child.doom = then;
      this.#touched.add(child);
      return;
    }
    child.asked = undefined;
    this.#enter(child, { is: 'down' });
    if (then === 'remove') this.#children.delete(child.spec.id);
  }

  #kill(child: Child, why: string, now: number): void {
    const { phase } = child;
    if (phase.is === 'down' || phase.is === 'waiting') return;
    if (phase.is === 'stopping' && phase.by === 'kill') return;
    this.#effects.push({ do: 'kill', run: phase.run, why });
    const failure = phase.is === 'stopping' ? phase.failure : undefined;
    this.#enter(child, { is: 'stopping', run: phase.run, by: 'kill', until: now + this.#killMs, failure });
  }

  get #killMs(): number {
    return this.#rules.killMs ?? 5_000;
  }

  /** Its phase has lasted as long as it may. */
  #expire(child: Child, now: number): void {
    const { phase, spec } = child;
    if (phase.is === 'waiting') this.#touched.add(child);
    else if (phase.is === 'starting') {
      this.#effects.push({ do: 'kill', run: phase.run, why: 'its start has taken too long' });
      const failure: Exit = { how: 'start-timeout' };
      this.#enter(child, { is: 'stopping', run: phase.run, by: 'abort', until: now + this.#killMs, failure });
    } else if (phase.is === 'stopping') {
      if (phase.by === 'stop') return this.#kill(child, `it has not stopped within ${graceOf(spec)} ms`, now);
      this.#gone(child, phase.failure ?? { how: 'abandoned' }, now);
    }
  }

  #settle(now: number): void {
    if (this.#over) return;
    if (this.#dynamic) for (const child of this.#touched) this.#settleOne(child, now);
    else this.#settleAll(now);
    this.#touched.clear();
    if (this.#end !== undefined && this.#runs.size === 0) {
      this.#over = true;
      this.#effects.push({ do: 'end', end: this.#end });
    } else if (!this.#up && this.#end === undefined && this.#booted()) {
      this.#up = true;
      this.#effects.push({ do: 'up' });
    }
  }

  #booted(): boolean {
    return ![...this.#children.values()].some(({ asked, phase }) => asked === 'boot' && phase.is !== 'down');
  }

  /** Many children of a kind owe each other nothing. OTP, too, stops those of a simple_one_for_one at the same time. */
  #settleOne(child: Child, now: number): void {
    if (child.doom !== undefined) this.#ask(child, now);
    else this.#startIfDue(child, now);
  }

  #settleAll(now: number): void {
    const all = [...this.#children.values()];
    const last = all.findLast(({ doom }) => doom !== undefined);
    if (last !== undefined) this.#ask(last, now);
    if (this.#end !== undefined) return;
    const { strategy = 'one-for-one' } = this.#rules;
    if (strategy === 'one-for-one') this.#startEach(all, now);
    else if (last === undefined) this.#startNext(all, now);
  }

  /** Each by itself; only those that have not been up yet keep the order of their specs. */
  #startEach(all: readonly Child[], now: number): void {
    let held = false;
    for (const child of all) {
      const first = child.asked === 'boot' || child.asked === 'add';
      if (!(first && held)) this.#startIfDue(child, now);
      held ||= first && child.phase.is !== 'down';
    }
  }

  /** One at a time, in order. */
  #startNext(all: readonly Child[], now: number): void {
    const next = all.find(({ phase }) => phase.is !== 'down' && phase.is !== 'running');
    if (next !== undefined) this.#startIfDue(next, now);
  }

  #startIfDue(child: Child, now: number): void {
    const { phase, spec } = child;
    if (phase.is !== 'waiting' || child.due > now) return;
    const run = (this.#lastRun += 1);
    this.#runs.set(run, child);
    this.#enter(child, { is: 'starting', run, until: now + startTimeOf(spec) });
    this.#effects.push({ do: 'start', spec, run });
  }

  /** Tells a child to end, once. */
  #ask(child: Child, now: number): void {
    const { phase, spec } = child;
    if (phase.is === 'starting') {
      // Nobody is there yet who could be asked.
      this.#effects.push({ do: 'kill', run: phase.run, why: 'its start is not wanted any more' });
      const until = now + Math.max(graceOf(spec), this.#killMs);
      this.#enter(child, { is: 'stopping', run: phase.run, by: 'abort', until });
    } else if (phase.is === 'running') {
      if (spec.shutdown === 'kill' || this.#brutal !== undefined) return this.#kill(child, 'it has to end', now);
      this.#effects.push({ do: 'stop', run: phase.run });
      this.#enter(child, { is: 'stopping', run: phase.run, by: 'stop', until: now + graceOf(spec) });
    }
  }

  #add(child: Child): void {
    this.#children.set(child.spec.id, child);
    this.#moving += 1;
    this.#touched.add(child);
  }

  #wait(child: Child, due: number): void {
    child.due = due;
    this.#enter(child, { is: 'waiting' });
  }

  #enter(child: Child, phase: Phase): void {
    this.#moving += Number(isMoving(phase)) - Number(isMoving(child.phase));
    child.phase = phase;
    const until = endOf(child);
    if (until === Infinity) this.#agenda.delete(child);
    else this.#agenda.set(child, until);
    this.#touched.add(child);
  }

  #isTemporary({ spec }: Child): boolean {
    return spec.restart === 'temporary';
  }

  #tell(event: SupervisorEvent): void {
    this.#effects.push({ do: 'tell', event });
  }
}

/** How a run is over that was heard of in this phase. */
function exitOf(it: Extract<Happening, { run: number }>, phase: Phase): Exit {
  if (phase.is === 'stopping') {
    if (phase.failure !== undefined) return phase.failure;
    if (phase.by === 'kill') return { how: 'killed' };
  }
  // Also of one that was asked to stop: as in OTP, an error on the way is told, and changes nothing else.
  if (it.type === 'ended' && (it.exit.how === 'failed' || phase.is !== 'stopping')) return it.exit;
  return { how: 'stopped' };
}
