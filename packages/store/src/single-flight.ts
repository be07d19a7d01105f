import type { Clock } from '@muster/rexi';
import { onAbort } from '@muster/rexi';
import type { CallOptions } from './connector.ts';
import { StoreError, type StoreErrorContext } from './errors.ts';

/** What a wait needs beside the work: the clock, and what its errors name. */
export interface Waiting {
  readonly clock: Clock;
  readonly about: StoreErrorContext;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
}

/** Calls for one key that overlap share one piece of work. A failed one is forgotten: the next call tries anew. */
export class SingleFlight<T> {
  readonly #clock: Clock;
  readonly #flights = new Map<string, Flight<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Joins the work for `key` or starts it. Each caller leaves by his own signal and timeout; when nobody is left, the
   * signal given to `start` is aborted.
   * @throws StoreError `timeout` or `cancelled`, and whatever `start` throws.
   */
  async run(
    key: string,
    options: CallOptions,
    about: StoreErrorContext,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    refuseAborted(options, about);
    const flight = this.#flights.get(key) ?? this.#begin(key, start);
    flight.waiters += 1;
    try {
      return await waitFor(flight.result, options, { clock: this.#clock, about });
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) this.#abandon(key, flight);
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { controller, waiters: 0, result: begin(start, controller.signal) };
    this.#flights.set(key, flight);
    const over = (): void => this.#forget(key, flight);
    flight.result.then(over, over);
    return flight;
  }

  /** Forgotten before it is aborted: whoever comes now must not join work that is being taken down. */
  #abandon(key: string, flight: Flight<T>): void {
    this.#forget(key, flight);
    flight.controller.abort();
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** One call by itself with its deadline: the signal given to `start` is aborted when the caller has left. */
export async function bounded<T>(
  options: CallOptions,
  waiting: Waiting,
  start: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  refuseAborted(options, waiting.about);
  const controller = new AbortController();
  try {
    return await waitFor(begin(start, controller.signal), options, waiting);
  } finally {
    controller.abort();
  }
}

/** The result of `work`, unless the caller cancels or his time is up before. */
function waitFor<T>(work: Promise<T>, { signal, timeout }: CallOptions, { clock, about }: Waiting): Promise<T> {
  if (signal === undefined && timeout === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const fail = (error: unknown): void => {
      leave();
      reject(error);
    };
    const cancel = (): void => fail(cancelled(signal, about));
    const late = (): void => fail(new StoreError('timeout', { ...about, detail: `waited ${timeout} ms` }));
    const timer = timeout === undefined ? undefined : clock.after(timeout, late);
    const leave = (): void => {
      timer?.cancel();
      forget?.();
    };
    const forget = signal && onAbort(signal, cancel);
    work.then((value) => (leave(), resolve(value)), fail);
  });
}

/** Also turns what `start` throws at once into a rejection. */
// oxlint-disable-next-line require-await
async function begin<T>(start: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return start(signal);
}

/** @throws StoreError `cancelled` when the call is over before it has begun. */
export function refuseAborted({ signal }: CallOptions, about: StoreErrorContext): void {
  if (signal?.aborted) throw cancelled(signal, about);
}

function cancelled(signal: AbortSignal | undefined, about: StoreErrorContext): StoreError {
  return new StoreError('cancelled', { ...about, cause: signal?.reason });
}
