import type { Clock, Entropy, Transport } from '@muster/rexi';
import { Guardian } from '../guardian/guardian.ts';
import type { FromGuardian, ToGuardian } from '../guardian/pipe.ts';
import type { GuardianEvents, GuardianProcess, SpawnGuardian } from '../guardianship.ts';

export interface SimulatedGuardiansOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
}

/** Guardians without processes: the real one over the given seams, and pipes that are calls by `clock.soon`. */
export class SimulatedGuardians {
  readonly #options: SimulatedGuardiansOptions;
  /** All that were ever started, in order. */
  readonly all: SimulatedGuardian[] = [];

  constructor(options: SimulatedGuardiansOptions) {
    this.#options = options;
  }

  get alive(): SimulatedGuardian[] {
    return this.all.filter(({ exit }) => exit === undefined);
  }

  /** What a coordinator takes as its `spawn` seam. */
  readonly spawn: SpawnGuardian = (events) => {
    const guardian = new SimulatedGuardian(this.#options, events);
    this.all.push(guardian);
    return guardian;
  };
}

/** One guardian and its pipe. */
export class SimulatedGuardian implements GuardianProcess {
  /** Set once it has exited: its code, or the signal. */
  exit: 0 | 3 | 'SIGKILL' | undefined;
  /** What it was told, and what it has said. */
  readonly told: ToGuardian[] = [];
  readonly said: FromGuardian[] = [];
  readonly #options: SimulatedGuardiansOptions;
  readonly #events: GuardianEvents;
  readonly #gone: Promise<void>;
  #left: () => void = () => undefined;
  #guardian: Guardian | undefined;
  #pipeEnded = false;
  #stopped = false;

  /** Made by `SimulatedGuardians`. */
  constructor(options: SimulatedGuardiansOptions, events: GuardianEvents) {
    this.#options = options;
    this.#events = events;
    this.#gone = new Promise((resolve) => (this.#left = resolve));
  }

  send(message: ToGuardian): void {
    if (this.#pipeEnded) return;
    this.#options.clock.soon(() => {
      if (this.exit !== undefined || this.#stopped) return;
      this.told.push(message);
      if (message.do === 'begin') this.#begin(message);
      else this.#guardian?.told(message);
    });
  }

  kill(): Promise<void> {
    if (this.exit === undefined) {
      this.#guardian?.abort('the guardian was killed');
      this.#exited('SIGKILL');
    }
    return this.#gone;
  }

  /** SIGSTOP, for good: it takes nothing more from its pipe. */
  stop(): void {
    this.#stopped = true;
  }

  /** The coordinator is gone, with its ends of the pipe. What it had written is still read. */
  coordinatorDied(): void {
    this.#pipeEnded = true;
    this.#options.clock.soon(() => {
      if (this.exit !== undefined) return;
      if (this.#guardian === undefined) this.#exited(0);
      else this.#guardian.pipeEnded();
    });
  }

  #begin(message: Extract<ToGuardian, { do: 'begin' }>): void {
    const say = (line: FromGuardian): void => {
      this.said.push(line);
      this.#options.clock.soon(() => !this.#pipeEnded && this.#events.said(line));
    };
    this.#guardian = new Guardian({ ...this.#options, begin: message, say, exit: (code) => this.#exited(code) });
  }

  /** Its exit is told behind the last of what it said. */
  #exited(exit: NonNullable<SimulatedGuardian['exit']>): void {
    this.exit = exit;
    this.#options.clock.soon(() => {
      if (!this.#pipeEnded) this.#events.exited();
      this.#left();
    });
  }
}
