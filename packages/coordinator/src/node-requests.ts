import type { Clock, Response, ValueCodec } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { ClusterNode } from './node.ts';
import type { Question } from './questions.ts';
import { Questions } from './questions.ts';

export interface NodeRequestsOptions {
  readonly clock: Clock;
  readonly codec: ValueCodec;
  /** Milliseconds for an answer, the wait for its turn included. */
  readonly timeout: number;
  /** Requests that a node may have open. */
  readonly most: number;
}

/** What nodes are asked about themselves, and have not answered yet. */
export class NodeRequests {
  readonly #options: NodeRequestsOptions;
  readonly #asked: Map<ClusterNode, Questions<Response>> = new Map();

  constructor(options: NodeRequestsOptions) {
    this.#options = options;
  }

  /**
   * @throws ClusterError `timeout`, `down` when the session ends before the answer, `closed` when the handle does,
   * `bad_options` for what the node refuses.
   */
  async ask(node: ClusterNode, name: string): Promise<unknown> {
    const { codec } = this.#options;
    const { ok, value } = await this.#answer(node, name);
    if (!ok) throw new ClusterError('bad_options', String(codec.unpack(value)), { node: node.name });
    return codec.unpack(value);
  }

  answered(node: ClusterNode, response: Response): void {
    this.#asked.get(node)?.answered(response.id, response);
  }

  /** The session with the node is over: nothing that it was asked will be answered. */
  over(node: ClusterNode): void {
    const error = node.trouble ?? new ClusterError('down', 'The session with the node is over.', { node: node.name });
    this.#over(node, error);
  }

  /** Nobody waits for any answer any more. */
  close(): void {
    for (const node of [...this.#asked.keys()]) {
      this.#over(node, new ClusterError('closed', 'The cluster handle was closed.', { node: node.name }));
    }
  }

  #answer(node: ClusterNode, name: string): Promise<Response> {
    const { clock, codec, timeout } = this.#options;
    const questions = this.#of(node);
    return new Promise<Response>((resolve, reject) => {
      const question: Question<Response> = {
        ask: (id) => node.send({ type: 'request', id, name, value: codec.pack(undefined) }),
        answered(response) {
          timer.cancel();
          resolve(response);
        },
        over(error) {
          timer.cancel();
          reject(error);
        },
      };
      const timer = clock.after(timeout, () => {
        questions.giveUp(question);
        const text = `No answer to "${name}" within ${timeout} ms.`;
        reject(new ClusterError('timeout', text, { node: node.name }));
      });
      questions.ask(question);
    });
  }

  #over(node: ClusterNode, error: ClusterError): void {
    const questions = this.#asked.get(node);
    this.#asked.delete(node);
    questions?.over(error);
  }

  #of(node: ClusterNode): Questions<Response> {
    const known = this.#asked.get(node);
    if (known !== undefined) return known;
    const questions = new Questions<Response>(this.#options.most);
    this.#asked.set(node, questions);
    return questions;
  }
}
