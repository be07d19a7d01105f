import type { FromGuardian, GuardianEvents, GuardianProcess, ToGuardian } from '@muster/coordinator';
import { Guardian } from '@muster/coordinator/testing';
import type { SimProcess } from '../simulation/sim-process.ts';
import type { Surroundings } from './sim-node.ts';

export interface SimGuardianOptions {
  readonly in: Pick<Surroundings, 'loop' | 'entropy' | 'network'>;
  /** Its own process, and its coordinator's. */
  readonly process: SimProcess;
  readonly coordinator: SimProcess;
  readonly events: GuardianEvents;
  readonly note: (event: string, facts?: Record<string, unknown>) => void;
}

/** A guardian in a simulated process, and the pipe between it and its coordinator. */
export class SimGuardian implements GuardianProcess {
  readonly process: SimProcess;
  incarnation = '';
  number = 0;
  readonly #options: SimGuardianOptions;
  readonly #gone: Promise<void>;
  #left: () => void = () => undefined;
  #guardian: Guardian | undefined;
  #exit: number | 'SIGKILL' = 'SIGKILL';
  #isLeft = false;

  constructor(options: SimGuardianOptions) {
    const { process, coordinator } = options;
    this.#options = options;
    this.process = process;
    this.#gone = new Promise((resolve) => (this.#left = resolve));
    process.whenDead(() => this.#exited());
    coordinator.whenDead(() => process.enter('sockets', () => this.#pipeEnded()));
  }

  send(message: ToGuardian): void {
    const { in: around, coordinator, process } = this.#options;
    if (!coordinator.isDead) around.loop.soon(() => process.enter('sockets', () => this.#told(message)));
  }

  kill(): Promise<void> {
    if (!this.#options.coordinator.isDead) this.process.kill();
    return this.#gone;
  }

  /** What `kill` must not be: its pipe is closed, and nobody waits for its end. For planted bugs. */
  leave(): Promise<void> {
    const { coordinator, events, process } = this.#options;
    if (this.#isLeft || coordinator.isDead) return this.#gone;
    this.#isLeft = true;
    process.enter('sockets', () => this.#pipeEnded());
    events.exited();
    this.#left();
    return this.#gone;
  }

  #told(message: ToGuardian): void {
    if (message.do === 'begin') this.#begin(message);
    else this.#guardian?.told(message);
  }

  #begin(begin: Extract<ToGuardian, { do: 'begin' }>): void {
    const { in: around, process, coordinator, events, note } = this.#options;
    const { loop, entropy, network } = around;
    this.incarnation = begin.incarnation;
    this.number = begin.number;
    note('guardian-up', { incarnation: begin.incarnation, number: begin.number });
    const say = (line: FromGuardian): void => {
      const { is, ...facts } = line;
      note(`guardian-${is}`, { incarnation: begin.incarnation, ...facts });
      loop.soon(() => coordinator.enter('sockets', () => this.#isLeft || events.said(line)));
    };
    this.#guardian = new Guardian({
      begin,
      clock: process.clock,
      entropy,
      transport: network.transport(process),
      say,
      exit: (code) => {
        this.#exit = code;
        process.kill();
      },
    });
  }

  #pipeEnded(): void {
    if (this.#guardian === undefined) this.process.kill();
    else this.#guardian.pipeEnded();
  }

  /** Told behind the last of what it has said. */
  #exited(): void {
    const { coordinator, events, note } = this.#options;
    note('guardian-gone', { incarnation: this.incarnation, number: this.number, exit: this.#exit });
    coordinator.enter('sockets', () => {
      if (this.#isLeft) return;
      events.exited();
      this.#left();
    });
  }
}
