import type { Clock, Timer } from '@muster/rexi';
import type { AskEvent, AskingMachine, GiveUp, ObjectAsk, Step } from './transfer.ts';

export interface ExchangeOptions<T> {
  readonly machine: AskingMachine<T>;
  readonly clock: Clock;
  /** Milliseconds without a word from the holding side. */
  readonly silence: number;
  send(message: ObjectAsk): void;
}

/** The shell around one machine of the asking side: sends, watches the clock, and keeps its promise once. */
export class Exchange<T> {
  readonly result: Promise<T>;
  readonly #options: ExchangeOptions<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: Error) => void;
  #heard: number;
  #alarm: Timer | undefined;

  constructor(options: ExchangeOptions<T>) {
    this.#options = options;
    this.#heard = options.clock.now();
    this.result = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  open(): void {
    this.#watch(this.#options.silence);
    this.#perform(this.#options.machine.open());
  }

  /** @throws ProtocolError when the peer broke a rule; the exchange has failed by then. */
  take(event: AskEvent): void {
    this.#heard = this.#options.clock.now();
    this.#perform(this.#options.machine.on(event));
  }

  giveUp(code: GiveUp['code'], detail?: string): void {
    this.take(detail === undefined ? { type: 'give-up', code } : { type: 'give-up', code, detail });
  }

  #perform({ send, outcome }: Step<T>): void {
    for (const message of send) this.#options.send(message);
    if (outcome === undefined) return;
    this.#alarm?.cancel();
    if (outcome.ok) return this.#resolve(outcome.value);
    this.#reject(outcome.error);
    if (outcome.violation) throw outcome.violation;
  }

  /** One timer for the whole exchange: it looks when the last word came, instead of being set again for each chunk. */
  #watch(ms: number): void {
    const { clock, silence } = this.#options;
    this.#alarm = clock.after(ms, () => {
      const left = this.#heard + silence - clock.now();
      if (left > 0) this.#watch(left);
      else this.giveUp('timeout', `the node said nothing for ${silence} ms`);
    });
  }
}
