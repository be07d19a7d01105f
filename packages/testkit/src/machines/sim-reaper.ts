import type { ReaperEvent, ReaperState } from '@muster/worker/testing';
import { interval, newReaper, reap } from '@muster/worker/testing';
import type { SimProcess } from '../simulation/sim-process.ts';

/** Beats per lease, as the agent's side of a real one does. */
const beats = 5;
/** Milliseconds until a reaper that died is replaced. */
const replacement = 50;

export interface SimReaperOptions {
  readonly agent: SimProcess;
  /** A process for the reaper, on the agent's machine. */
  readonly spawn: () => SimProcess;
  readonly lease: number;
  /** Kill every executor. */
  readonly act: (why: string) => void;
}

/** The reaper of a node: what it decides is the real one's, its processes are simulated. Replaced when it dies. */
export class SimReaper {
  process: SimProcess;
  readonly #options: SimReaperOptions;
  #state: ReaperState;

  constructor(options: SimReaperOptions) {
    this.#options = options;
    [this.process, this.#state] = this.#start();
    this.#beats();
    options.agent.whenDead(() => {
      // An executor reads the end of its own pipe as well; without a reaper that is what ends it.
      if (this.process.isDead) options.act('the agent has ended, and its reaper before it');
      else this.process.enter('sockets', () => this.#take({ type: 'closed' }));
    });
  }

  #start(): [SimProcess, ReaperState] {
    const { agent, lease, spawn } = this.#options;
    const process = spawn();
    const now = process.clock.now();
    [this.#state] = reap(newReaper(now), { type: 'told', word: { type: 'hello', lease, scratch: '' }, now });
    this.process = process;
    this.#ticks(process);
    process.whenDead(() =>
      agent.enter('sockets', () =>
        agent.clock.after(replacement, () => void ([this.process, this.#state] = this.#start())),
      ),
    );
    return [process, this.#state];
  }

  #ticks(process: SimProcess): void {
    process.clock.after(interval(this.#options.lease), () => {
      this.#take({ type: 'tick', now: process.clock.now() });
      this.#ticks(process);
    });
  }

  #beats(): void {
    const { agent, lease } = this.#options;
    const { process } = this;
    process.enter('sockets', () => this.#take({ type: 'told', word: { type: 'beat' }, now: process.clock.now() }));
    agent.clock.after(lease / beats, () => this.#beats());
  }

  #take(event: ReaperEvent): void {
    const [state, effects] = reap(this.#state, event);
    this.#state = state;
    for (const effect of effects) {
      if (effect.do !== 'reap') continue;
      this.#options.act(effect.why);
      // It has done its work; an agent that was merely stopped starts another one when it finds this one gone.
      this.process.kill();
    }
  }
}
