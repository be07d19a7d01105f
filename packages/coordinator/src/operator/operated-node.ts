import type { Clock, Entropy, Identity, Link, LinkEnd, Message, Peer, Response, Transport } from '@muster/rexi';
import { Channel, CloseCode, ClusterError, ValueCodec } from '@muster/rexi';
import type { Question } from '../questions.ts';
import { Questions } from '../questions.ts';
import { lostSession } from '../trouble.ts';
import type { Operating } from './options.ts';

export interface OperatedNodeOptions {
  readonly address: string;
  readonly about: Operating;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
  /** Why the node may not be who it has proved to be; undefined: it may. */
  readonly refused: (peer: Peer) => ClusterError | undefined;
}

const codec = new ValueCodec();

/** A link to one node over which it is asked. It is dialled when somebody asks, and again when it was lost meanwhile. */
export class OperatedNode {
  readonly address: string;
  /** Known after the first handshake; pinned from then on. */
  id: string | undefined;
  incarnation: string | undefined;
  readonly #options: OperatedNodeOptions;
  readonly #over = new AbortController();
  readonly #gone: (() => void)[] = [];
  #channel: Promise<Channel> | undefined;
  #questions: Questions<Response>;

  constructor(options: OperatedNodeOptions) {
    this.#options = options;
    this.address = options.address;
    this.#questions = new Questions(options.about.constants.questions);
  }

  /**
   * Resolves when the node is linked, and its name known.
   * @throws ClusterError `unreachable`, `unauthorized`, `version_mismatch`, `bad_options`
   */
  async link(): Promise<void> {
    await this.#linked();
  }

  /**
   * @throws ClusterError as `link` does; `timeout`; `down` when the link ends before the answer; `bad_options` for what the
   * node refuses.
   */
  async ask(name: string, value: unknown): Promise<unknown> {
    const packed = value === undefined ? new Uint8Array() : codec.pack(value);
    const channel = await this.#linked();
    const response = await this.#answer(channel, name, packed);
    if (!response.ok) throw this.#error('bad_options', String(codec.unpack(response.value)));
    return codec.unpack(response.value);
  }

  /** Resolves when the link is over, at once where there is none: a node that has drained ends it. */
  whenGone(): Promise<void> {
    return this.#channel === undefined ? Promise.resolve() : new Promise((resolve) => this.#gone.push(resolve));
  }

  close(): void {
    this.#over.abort();
    void this.#channel
      ?.then((channel) => channel.close(CloseCode.normal, 'nothing more to ask'))
      .catch(() => undefined);
  }

  #linked(): Promise<Channel> {
    if (this.#channel !== undefined) return this.#channel;
    const dialling = this.#dial().catch((error: unknown) => {
      if (this.#channel === dialling) this.#channel = undefined;
      throw error;
    });
    this.#channel = dialling;
    return dialling;
  }

  async #dial(): Promise<Channel> {
    const { about, identity, transport, address, refused } = this.#options;
    const { signal } = this.#over;
    if (signal.aborted) throw this.#error('closed', 'It was closed.');
    const { credential: secret, constants } = about;
    const expect = this.id === undefined ? {} : { expect: this.id };
    const link = await transport.dial(address, { identity, secret, timeout: constants.connect, signal, ...expect });
    const error = refused(link.peer);
    if (error !== undefined) {
      link.abort(error.text);
      throw error;
    }
    this.id = link.peer.id;
    this.incarnation = link.peer.incarnation;
    return this.#converse(link);
  }

  #converse(link: Link): Channel {
    const { clock, about } = this.#options;
    return new Channel(link, {
      clock,
      constants: about.constants,
      handler: { message: (message) => this.#message(message), ended: (end) => this.#ended(end) },
    });
  }

  #message(message: Message): void {
    if (message.type === 'response') this.#questions.answered(message.id, message);
  }

  #ended(end: LinkEnd): void {
    this.#channel = undefined;
    const questions = this.#questions;
    this.#questions = new Questions(this.#options.about.constants.questions);
    questions.over(lostSession(this.id ?? this.address, end));
    for (const told of this.#gone.splice(0)) told();
  }

  #answer(channel: Channel, name: string, value: Uint8Array): Promise<Response> {
    const { clock, about } = this.#options;
    const questions = this.#questions;
    return new Promise<Response>((resolve, reject) => {
      const question: Question<Response> = {
        ask: (id) => channel.send({ type: 'request', id, name, value }),
        answered(response) {
          timer.cancel();
          resolve(response);
        },
        over(error) {
          timer.cancel();
          reject(error);
        },
      };
      const timer = clock.after(about.timeout, () => {
        questions.giveUp(question);
        reject(this.#error('timeout', `No answer to "${name}" within ${about.timeout} ms.`));
      });
      questions.ask(question);
    });
  }

  #error(code: 'bad_options' | 'timeout' | 'closed', text: string): ClusterError {
    return new ClusterError(code, text, { node: this.id ?? this.address });
  }
}
