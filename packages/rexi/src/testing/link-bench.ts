import { newIdentity } from '../handshake/identity.ts';
import type { Underlay } from '../handshake/certificate.ts';
import type { Answer } from '../handshake/client.ts';
import type {
  DialOptions,
  Entropy,
  Identity,
  Link,
  LinkEnd,
  LinkHandler,
  Listener,
  ListenOptions,
  Transport,
} from '../seams.ts';

/** What the link suite has to be given to try a transport. */
export interface LinkBench {
  readonly transport: Transport;
  readonly entropy: Entropy;
  /** Where to listen, e.g. `ws://127.0.0.1:0`. */
  readonly address: string;
  /** Lets things happen until `done` holds; rejects when that takes too long. */
  until(done: () => boolean): Promise<void>;
  /** Lets everything happen that is under way; how a test sees that nothing does. */
  quiet(): Promise<void>;
  /** Another address that leads to the listener at `address`, which does not know it. */
  alias(address: string): string;
  /**
   * One bare upgrade request, as coordinator `c` where there are certificates, and the answer to it. `authorize` makes its
   * `Authorization` for the connection that it goes over.
   */
  request(address: string, authorize?: (underlay: Underlay) => string): Promise<Answer>;
}

export type MakeBench = () => LinkBench | Promise<LinkBench>;

/** The parts of vitest that the suite uses; any test runner with the same words will do. */
export interface TestWords {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
  readonly expect: (value: unknown) => Expectation;
}

export interface Expectation {
  toBe(wanted: unknown): unknown;
  toEqual(wanted: unknown): unknown;
  toMatchObject(wanted: object): unknown;
}

/** A handler that writes down what it hears. */
export class Recorder implements LinkHandler {
  readonly frames: Uint8Array[] = [];
  readonly ends: LinkEnd[] = [];
  /** What was still queued, each time that it was said to be drained; nothing, one hopes. */
  readonly drains: number[] = [];
  /** What came when, in words: `frame`, `drained`, `ended`. */
  readonly heard: string[] = [];

  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  frame(bytes: Uint8Array): void {
    this.frames.push(bytes.slice());
    this.heard.push('frame');
  }

  drained(): void {
    this.drains.push(this.#link.queued);
    this.heard.push('drained');
  }

  ended(end: LinkEnd): void {
    this.ends.push(end);
    this.heard.push('ended');
  }

  /** The frames as text. */
  get texts(): string[] {
    return this.frames.map((frame) => Buffer.from(frame).toString());
  }
}

/** One end of a link, with what it has heard. */
export interface RecordedEnd {
  readonly link: Link;
  readonly heard: Recorder;
}

/** One listener and what it has accepted. */
export interface RecordedListener {
  readonly listener: Listener;
  readonly accepted: RecordedEnd[];
}

export const secret: Uint8Array = Buffer.from('a secret that only this cluster knows');

/** Waits for a promise while the bench lets things happen. */
export async function finish<T>(bench: LinkBench, promise: Promise<T>): Promise<T> {
  let over = false;
  const done = (): void => void (over = true);
  promise.then(done, done);
  await bench.until(() => over);
  return promise;
}

/** The error with which a promise is rejected; an error of its own when it is not. */
export async function failure(bench: LinkBench, promise: Promise<unknown>): Promise<unknown> {
  return finish(
    bench,
    promise.then(
      () => new Error('It was let in.'),
      (error: unknown) => error,
    ),
  );
}

/** Text as a frame, or a part of one. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** A handler that hears nothing. */
export const deaf: LinkHandler = { frame: () => undefined, drained: () => undefined, ended: () => undefined };

/** Listens as worker `w` and records. */
export async function listen(
  bench: LinkBench,
  changes: Partial<ListenOptions> = {},
  address: string = bench.address,
): Promise<RecordedListener> {
  const accepted: RecordedEnd[] = [];
  const accept = (link: Link): void => void accepted.push(record(link));
  const identity = newIdentity('worker', 'w', bench.entropy);
  const listener = await finish(bench, bench.transport.listen(address, { identity, secret, accept, ...changes }));
  return { listener, accepted };
}

/** Options to dial as coordinator `c`. */
export function dialling(bench: LinkBench, changes: Partial<DialOptions> = {}): DialOptions {
  return { identity: coordinator(bench), secret, timeout: 5_000, ...changes };
}

export function coordinator(bench: LinkBench): Identity {
  return newIdentity('coordinator', 'c', bench.entropy);
}

/** Dials and records. */
export async function dial(
  bench: LinkBench,
  address: string,
  changes: Partial<DialOptions> = {},
): Promise<RecordedEnd> {
  // The handler is set where the link arrives: the bench may need turns to notice that it has.
  return finish(bench, bench.transport.dial(address, dialling(bench, changes)).then(record));
}

/** A fresh link, both ends. */
export async function pair(bench: LinkBench): Promise<{ near: RecordedEnd; far: RecordedEnd; at: RecordedListener }> {
  const at = await listen(bench);
  const near = await dial(bench, at.listener.address);
  await bench.until(() => at.accepted.length > 0);
  return { near, far: at.accepted[0] as RecordedEnd, at };
}

function record(link: Link): RecordedEnd {
  const heard = new Recorder(link);
  link.handle(heard);
  return { link, heard };
}

/** The only one there is. */
export function onlyOne<T>(list: readonly T[]): T {
  const [only] = list;
  if (only === undefined || list.length !== 1) throw new Error(`There should be one, and there are ${list.length}.`);
  return only;
}
