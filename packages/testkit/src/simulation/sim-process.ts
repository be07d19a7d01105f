import type { Clock, Timer } from '@muster/rexi';
import type { EventLoop } from './event-loop.ts';
import type { Machine } from './machine.ts';
import { readsWallClock } from './wall-clock.ts';

const nsPerMs = 1e6;

/** What waits for a process that is stopped, in the order in which an event loop usually comes to it. */
const phases = ['timers', 'sockets', 'soon'] as const;
export type Phase = (typeof phases)[number];

/** What dies with a process: its sockets, its pipes. */
export interface Held {
  processDied(): void;
}

const noTimer: Timer = { cancel: () => undefined };

/**
 * A process: the code that is given its clock and its links runs only while it does. It can be stopped and continued, as
 * SIGSTOP and SIGCONT do (a long synchronous call looks the same), and killed between any two things that it sends.
 */
export class SimProcess {
  readonly name: string;
  readonly machine: Machine;
  readonly clock: Clock;
  state: 'running' | 'stopped' | 'dead' = 'running';
  readonly #loop: EventLoop;
  readonly #waiting: Record<Phase, (() => void)[]> = { timers: [], sockets: [], soon: [] };
  readonly #held: Set<Held> = new Set();
  readonly #mourners: (() => void)[] = [];
  #wakings = 0;
  /** Something that waited while it was stopped still does: whatever comes now comes behind it. */
  #catchingUp = false;
  /** Frames that it may still send before it is killed; undefined: any number. */
  #fuse: number | undefined;

  constructor(loop: EventLoop, machine: Machine, name: string) {
    this.#loop = loop;
    this.machine = machine;
    this.name = name;
    machine.processes.add(this);
    const { rate, offset, chance } = machine;
    this.clock = {
      now: () => offset + (loop.now / nsPerMs) * rate,
      after: (ms, fire) => this.#timer((Math.max(0, ms) * nsPerMs) / rate, fire),
      soon: (run) => {
        if (this.state !== 'dead') loop.soon(() => this.enter('soon', run));
      },
      ...(chance && { chance }),
    };
  }

  /** Virtual milliseconds, the same for all. */
  get now(): number {
    return this.#loop.now / nsPerMs;
  }

  /** What its machine's wall clock shows: milliseconds of an epoch that anybody may change at any time. */
  get wallClock(): number {
    return Math.floor(this.clock.now() + this.machine.wallAhead);
  }

  get isDead(): boolean {
    return this.state === 'dead';
  }

  /** Runs what the process has asked for or is told: now, behind what waits already, or never. */
  enter(phase: Phase, run: () => void): void {
    if (this.state === 'running' && !this.#catchingUp) this.#run(run);
    else if (this.state !== 'dead') this.#waiting[phase].push(run);
  }

  #run(run: () => void): void {
    readsWallClock(this);
    run();
  }

  stop(): void {
    if (this.state === 'running') this.state = 'stopped';
  }

  /** `first`: what an event loop comes to first depends on where it was stopped. */
  continue(first: Phase = 'timers'): void {
    if (this.state !== 'stopped') return;
    this.state = 'running';
    this.#wakings += 1;
    this.#catchingUp = true;
    this.#catchUp([first, ...phases], this.#wakings);
  }

  /** One thing after the other that has waited; each may be the last before the next stop. */
  #catchUp(order: readonly Phase[], waking: number): void {
    this.#loop.soon(() => {
      if (this.state !== 'running' || waking !== this.#wakings) return;
      const phase = order.find((one) => this.#waiting[one].length > 0);
      if (phase === undefined) {
        this.#catchingUp = false;
        return;
      }
      const run = this.#waiting[phase].shift();
      if (run !== undefined) this.#run(run);
      this.#catchUp(order, waking);
    });
  }

  /** SIGKILL: not another step of it happens. The kernel closes what it held; whoever waits for its end is told. */
  kill(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.machine.processes.delete(this);
    for (const phase of phases) this.#waiting[phase].length = 0;
    for (const held of this.#held) held.processDied();
    this.#held.clear();
    for (const told of this.#mourners.splice(0)) this.#loop.soon(told);
  }

  /** It will be killed in the middle of a turn, when it has sent so many more frames. */
  killAfter(frames: number): void {
    this.#fuse = frames;
  }

  /** It hands a frame to the kernel. */
  sends(): void {
    if (this.#fuse === undefined) return;
    this.#fuse -= 1;
    if (this.#fuse <= 0) this.kill();
  }

  holds(held: Held): void {
    if (this.state === 'dead') held.processDied();
    else this.#held.add(held);
  }

  drops(held: Held): void {
    this.#held.delete(held);
  }

  /** Called once it is dead, by the kernel: not in the turn in which it died. */
  whenDead(told: () => void): void {
    if (this.state === 'dead') this.#loop.soon(told);
    else this.#mourners.push(told);
  }

  #timer(ns: number, fire: () => void): Timer {
    if (this.state === 'dead' || ns === Infinity) return noTimer;
    let cancelled = false;
    const pending = this.#loop.after(ns, () => this.enter('timers', () => cancelled || fire()));
    return {
      cancel() {
        cancelled = true;
        pending.cancel();
      },
    };
  }
}
