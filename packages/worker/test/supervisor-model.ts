import type { Happening, SupervisorEffect } from '../src/supervisor/happening.ts';
import type { ChildSpec, ChildState, Exit, SupervisorEvent, SupervisorRules } from '../src/supervisor/spec.ts';
import type { SupervisorCore } from '../src/supervisor/supervisor-core.ts';

/** One start of a child, as the world has seen it. */
interface Run {
  readonly number: number;
  readonly child: Child;
  readonly began: number;
  up: boolean;
  upSince: number;
  /** What was done to it, and when. */
  aborted: number | undefined;
  asked: number | undefined;
  killed: number | undefined;
  /** Until when what was done last has time. */
  until: number;
  timedOut: boolean;
  refused: boolean;
  /** It came up after it was given up. */
  late: boolean;
}

/** What should become of a child. */
interface Child {
  readonly spec: ChildSpec;
  wish: 'up' | 'down' | 'gone';
  due: number;
  /** It has to end, whatever it does. */
  condemned: boolean;
  first: 'boot' | 'add' | 'again' | undefined;
  ups: number;
  attempts: number;
  run: Run | undefined;
}

const graceOf = ({ shutdown = 5_000 }: ChildSpec): number =>
  shutdown === 'infinity' ? Infinity : shutdown === 'kill' ? 0 : shutdown;

/**
 * What must hold of a supervisor, as plainly as it can be said: a list of children in start order, each with what should
 * become of it, and the runs that the world has seen. It decides nothing but whether a restart is one; each effect is
 * judged alone, by looking at all children, and after each event nothing that may be done is left undone.
 */
export class SupervisorModel {
  readonly broken: Set<string> = new Set();
  readonly #rules: SupervisorRules;
  #children: Child[] = [];
  readonly #runs: Map<number, Run> = new Map();
  readonly #left: Run[] = [];
  #restartTimes: number[] = [];
  #restarts = 0;
  /** What has to be told now, in this order. */
  #owed: SupervisorEvent[] = [];
  #reason: string | undefined;
  #aborted = false;
  #up = false;
  over = false;

  constructor(rules: SupervisorRules, now: number) {
    this.#rules = rules;
    for (const spec of rules.children ?? []) this.#new(spec, 'boot', now);
  }

  must(what: string, holds: boolean): void {
    if (!holds) this.broken.add(what);
  }

  get ending(): boolean {
    return this.#reason !== undefined;
  }

  /** Runs to which this can happen. */
  runs(what: string): readonly number[] {
    const can = (run: Run): boolean => {
      if (what === 'come-up' || what === 'fail-start') return !run.up;
      if (what === 'stopped' || what === 'refuse') return run.up && run.asked !== undefined && !run.refused;
      return run.up;
    };
    const late = what === 'come-up' ? this.#left.filter((run) => !run.up && !run.late) : [];
    return [...[...this.#runs.values()].filter(can), ...late].map(({ number }) => number);
  }

  added(spec: ChildSpec, now: number): void {
    this.#new(spec, 'add', now);
  }

  happens(it: Happening, now: number): void {
    if (it.type === 'close') return this.#finish('closed');
    if (it.type === 'abort') {
      this.#finish('aborted');
      this.#aborted = true;
      return;
    }
    if ('id' in it) return this.#ordered(it.type, it.id, now);
    if (!('run' in it)) return;
    const run = this.#runs.get(it.run);
    if (run === undefined) return this.#comesLate(it);
    if (it.type === 'started') return this.#cameUp(run, now);
    if (it.type === 'stop-failed' && run.killed === undefined) return void (run.refused = true);
    const crashed = it.type === 'ended' && it.exit.how === 'failed';
    const whole = it.type === 'ended' ? it.exit : undefined;
    if (run.timedOut) this.#isOver(run, { how: 'start-timeout' }, now);
    else if (run.killed !== undefined) this.#isOver(run, { how: 'killed' }, now);
    else if (run.asked !== undefined || run.aborted !== undefined)
      this.#isOver(run, crashed ? it.exit : { how: 'stopped' }, now);
    else if (it.type === 'start-failed') this.#isOver(run, { how: 'start-failed', error: it.error }, now);
    else this.#isOver(run, whole ?? { how: 'stopped' }, now);
  }

  /** The next time at which something has to happen. */
  nextAt(now: number): number {
    let next = Infinity;
    for (const { wish, run, due } of this.#children) if (wish === 'up' && !run && due > now) next = Math.min(next, due);
    for (const run of this.#runs.values()) next = Math.min(next, run.until);
    return next;
  }

  /** The supervisor has done this: was it right? */
  does(effect: SupervisorEffect, now: number): void {
    this.must('nothing is done after the end', !this.over || effect.do === 'stop');
    if (effect.do === 'start') return this.#starts(effect.spec.id, effect.run, now);
    if (effect.do === 'stop') return this.#stops(effect.run, now);
    if (effect.do === 'kill') return this.#kills(effect.run, now);
    if (effect.do === 'tell') return this.#tells(effect.event, now);
    if (effect.do === 'up') {
      this.must('it is up once', !this.#up);
      this.must('it is up when its first children are', !this.#booting && !this.ending);
      this.#up = true;
      return;
    }
    this.must('it ends when nothing runs', this.#runs.size === 0);
    this.must('it ends with its reason', effect.end.why === this.#reason);
    this.over = true;
  }

  /** After an event and what was done about it. */
  check(core: SupervisorCore, now: number): void {
    this.must('everything is told', this.#owed.length === 0);
    this.must('it is up as soon as it can be', this.#up || this.ending || this.#booting);
    this.must('it ends as soon as it can', this.over || !this.ending || this.#runs.size > 0);
    const moving = this.#children.some((child) => !/running|down/.test(stateOf(child)));
    this.must('it is settled when nobody waits, starts or stops', core.settled === !moving);
    this.must('restarts are counted', core.count().restarts === this.#restarts);
    this.must('who comes late is stopped', !this.#left.some(({ late, asked }) => late && asked === undefined));
    for (const run of this.#runs.values()) {
      this.must('nobody has longer than it may', run.until > now);
      this.must('who must end is told when it is its turn', !run.child.condemned || isTold(run) || !this.#isTurn(run));
      this.must('who cannot be stopped is killed', !run.refused || run.killed !== undefined);
    }
    for (const child of this.#children)
      this.must('who may start is started', child.run !== undefined || !this.#mayStart(child, now));
    const states = this.#children.map((child) => `${child.spec.id} ${stateOf(child)} ${Math.max(0, child.ups - 1)}`);
    const said = core.which().map(({ id, state, restarts }) => `${id} ${state} ${restarts}`);
    this.must(`which() says ${states.join(', ')} (${said.join(', ')})`, states.join() === said.join());
  }

  #comesLate(it: Extract<Happening, { run: number }>): void {
    const run = this.#left.find(({ number }) => number === it.run);
    if (run !== undefined && it.type === 'started') run.late = true;
  }

  #new(spec: ChildSpec, first: 'boot' | 'add', now: number): void {
    const state = { wish: 'up', due: now, condemned: false, first, ups: 0, attempts: 0, run: undefined } as const;
    this.#children.push({ spec, ...state });
  }

  #ordered(order: string, id: string, now: number): void {
    const child = this.#children.find(({ spec }) => spec.id === id);
    if (child === undefined || this.ending) return;
    if (order === 'remove') child.wish = 'gone';
    else if (order === 'stop') this.#condemn(child, child.spec.restart === 'temporary' ? 'gone' : 'down');
    else {
      if (child.wish === 'down') child.first = 'again';
      child.wish = 'up';
      child.due = now;
    }
    this.#clean();
  }

  #condemn(child: Child, wish: Child['wish']): void {
    child.wish = wish;
    child.condemned = child.run !== undefined;
    if (!child.condemned) child.first = undefined;
  }

  #clean(): void {
    this.#children = this.#children.filter(({ wish, run }) => wish !== 'gone' || run !== undefined);
  }

  #finish(reason: string): void {
    if (this.ending) return;
    this.#reason = reason;
    for (const child of this.#children) this.#condemn(child, 'down');
  }

  #cameUp(run: Run, now: number): void {
    const { child, number } = run;
    run.up = true;
    run.upSince = now;
    if (isTold(run)) return;
    run.until = Infinity;
    child.ups += 1;
    child.first = undefined;
    const { id } = child.spec;
    this.#owed.push(
      child.ups === 1
        ? { type: 'started', id, run: number }
        : { type: 'restarted', id, run: number, restarts: child.ups - 1 },
    );
  }

  /** The one decision there is: what the end of a run means. */
  #isOver(run: Run, exit: Exit, now: number): void {
    const { child } = run;
    const { id, restart = 'permanent', significant } = child.spec;
    this.#runs.delete(run.number);
    child.run = undefined;
    const exited = { type: 'exited', id, run: run.number, exit } as const;
    if (child.condemned) {
      child.condemned = false;
      if (child.wish !== 'up') child.first = undefined;
      this.#owed.push(exited);
      return this.#clean();
    }
    const again = restart === 'permanent' || (restart === 'transient' && exit.how !== 'normal');
    const { first } = child;
    if (first === undefined && again) {
      const { maxRestarts, withinMs } = this.#rules.intensity ?? { maxRestarts: 1, withinMs: 5_000 };
      this.#restartTimes.push(now);
      if (this.#restartTimes.filter((at) => at >= now - withinMs).length <= maxRestarts) {
        this.#restarts += 1;
        this.#owed.push({ ...exited, restartIn: this.#fullWait(run, now) });
        return this.#group(child);
      }
      child.wish = 'down';
      this.#finish('gave-up');
      this.#owed.push(exited, { type: 'gave-up', id, exit, restarts: this.#restarts });
      return;
    }
    this.#owed.push(exited);
    child.first = undefined;
    child.wish = restart === 'temporary' || first === 'add' ? 'gone' : 'down';
    this.#clean();
    if (first === 'boot') this.#finish('start-failed');
    if (!significant || first !== undefined) return;
    const { autoShutdown } = this.#rules;
    const others = this.#children.some(({ spec, wish, run }) => spec.significant && (wish === 'up' || run));
    if (autoShutdown === 'any-significant' || (autoShutdown === 'all-significant' && !others))
      this.#finish('significant');
  }

  #fullWait({ child, up, upSince, timedOut }: Run, now: number): number {
    const { backoff } = this.#rules;
    if (backoff === undefined) return 0;
    if (up && !timedOut && now - upSince >= backoff.mostMs) child.attempts = 0;
    return Math.min(backoff.firstMs * 2 ** child.attempts++, backoff.mostMs);
  }

  #group(child: Child): void {
    child.wish = 'up';
    for (const other of this.#others(child)) {
      if (other.run === undefined) other.wish = 'up';
      else this.#condemn(other, other.spec.restart === 'temporary' ? 'gone' : 'up');
    }
  }

  /** Who is started again with it. */
  #others(child: Child): readonly Child[] {
    const { strategy } = this.#rules;
    if (strategy === 'one-for-all') return this.#children.filter((other) => other !== child);
    return strategy === 'rest-for-one' ? this.#children.slice(this.#children.indexOf(child) + 1) : [];
  }

  get #booting(): boolean {
    return this.#children.some(({ first, wish, run }) => first === 'boot' && (wish === 'up' || run));
  }

  get #isGroup(): boolean {
    const { strategy } = this.#rules;
    return strategy === 'one-for-all' || strategy === 'rest-for-one';
  }

  #mayStart(child: Child, now: number): boolean {
    if (child.wish !== 'up' || child.run !== undefined || child.due > now) return false;
    const before = this.#children.slice(0, this.#children.indexOf(child));
    if (this.#isGroup) {
      return (
        !this.#children.some(({ condemned }) => condemned) &&
        before.every(({ wish, run }) => wish !== 'up' || (run?.up === true && !isTold(run)))
      );
    }
    if (this.#rules.strategy === 'dynamic' || (child.first !== 'boot' && child.first !== 'add')) return true;
    return !before.some(({ first, wish, run }) => (first === 'boot' || first === 'add') && (wish === 'up' || run));
  }

  /** Those after it that must end have ended. */
  #isTurn({ child }: Run): boolean {
    if (this.#rules.strategy === 'dynamic' || this.#aborted) return true;
    return !this.#children.slice(this.#children.indexOf(child) + 1).some(({ condemned }) => condemned);
  }

  #starts(id: string, number: number, now: number): void {
    const child = this.#children.find(({ spec }) => spec.id === id);
    if (child === undefined) return this.must('who is started is a child', false);
    this.must('nobody is started twice', child.run === undefined);
    this.must('who is started may be', this.#mayStart(child, now));
    const { startMs = 30_000 } = child.spec;
    const until = startMs === 'infinity' ? Infinity : now + startMs;
    const did = { up: false, upSince: 0, aborted: undefined, asked: undefined, killed: undefined } as const;
    child.run = { number, child, began: now, until, ...did, timedOut: false, refused: false, late: false };
    this.#runs.set(number, child.run);
  }

  #stops(number: number, now: number): void {
    const run = this.#runs.get(number);
    if (run === undefined) {
      const late = this.#left.find((one) => one.number === number && one.late && one.asked === undefined);
      this.must('who is stopped lives', late !== undefined);
      if (late !== undefined) late.asked = now;
      return;
    }
    this.must('who is stopped is up', run.up);
    this.must('nobody is stopped twice', run.asked === undefined);
    const late = run.aborted !== undefined || run.killed !== undefined;
    this.must('who is stopped must end', late || run.child.condemned);
    this.must('the last one is stopped first', late || this.#isTurn(run));
    this.must('who is to be killed is not asked', late || run.child.spec.shutdown !== 'kill');
    run.asked = now;
    if (!late) run.until = now + graceOf(run.child.spec);
  }

  #kills(number: number, now: number): void {
    const run = this.#runs.get(number);
    if (run === undefined) return this.must('who is killed lives', false);
    const { child } = run;
    const { startMs = 30_000 } = child.spec;
    const killMs = this.#rules.killMs ?? 5_000;
    this.must('nobody is killed twice', run.killed === undefined);
    if (this.#aborted) run.killed = now;
    else if (run.refused || (run.asked !== undefined && now >= run.until)) run.killed = now;
    else if (!run.up && run.aborted === undefined) {
      // Also of one that must end, and whose turn has not come.
      run.timedOut = !child.condemned || !this.#isTurn(run);
      this.must(
        'a start is taken back in time',
        run.timedOut ? now === run.began + Number(startMs) : this.#isTurn(run),
      );
      run.aborted = now;
      run.until = now + (run.timedOut ? killMs : Math.max(killMs, graceOf(child.spec)));
      return;
    } else {
      this.must('who is killed must be', child.spec.shutdown === 'kill' && child.condemned && this.#isTurn(run));
      run.killed = now;
    }
    // It is also asked, so that it is known when it is gone.
    if (run.up) run.asked ??= now;
    run.until = now + killMs;
  }

  #tells(event: SupervisorEvent, now: number): void {
    if (event.type === 'exited' && this.#owed.length === 0) this.#givesUp(event.run, now);
    const owed = this.#owed.shift();
    if (event.type === 'exited' && owed?.type === 'exited' && event.restartIn !== undefined) {
      const { jitter = 0 } = this.#rules.backoff ?? {};
      const full = owed.restartIn ?? -1;
      this.must('a wait is as long as it may be', event.restartIn <= full && event.restartIn >= full * (1 - jitter));
      this.#waits(event.id, now + event.restartIn);
      return this.must('an exit is told as it was', same({ ...event, restartIn: 0 }, { ...owed, restartIn: 0 }));
    }
    this.must(`what is told is so: ${JSON.stringify(event)}, not ${JSON.stringify(owed)}`, same(event, owed));
  }

  /** A run about which nothing more can be done. Only the supervisor says when: more than one may be due at a moment. */
  #givesUp(number: number, now: number): void {
    const run = this.#runs.get(number);
    const hopeless = run && (run.killed !== undefined || (run.aborted !== undefined && !run.up));
    if (run === undefined || !hopeless || now < run.until) return;
    this.#left.push(run);
    this.#isOver(run, run.timedOut ? { how: 'start-timeout' } : { how: 'abandoned' }, now);
  }

  #waits(id: string, due: number): void {
    const child = this.#children.find(({ spec }) => spec.id === id);
    if (child === undefined) return this.must('who waits is a child', false);
    child.due = due;
    for (const other of this.#others(child)) other.due = Math.max(other.due, due);
  }
}

const isTold = ({ aborted, asked, killed }: Run): boolean => (aborted ?? asked ?? killed) !== undefined;
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

function stateOf({ run, wish }: Child): ChildState {
  if (run === undefined) return wish === 'up' ? 'waiting' : 'down';
  if (isTold(run)) return 'stopping';
  return run.up ? 'running' : 'starting';
}
