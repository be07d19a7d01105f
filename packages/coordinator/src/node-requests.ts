import type { Clock, Response, ValueCodec } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { ClusterNode } from './node.ts';

export interface NodeRequestsOptions {
  readonly clock: Clock;
  readonly codec: ValueCodec;
  /** Milliseconds for an answer. */
  readonly timeout: number;
}

interface Asked {
  readonly node: ClusterNode;
  answered(response: Response): void;
  failed(error: ClusterError): void;
}

/** What nodes were asked about themselves and have not answered yet. */
export class NodeRequests {
  readonly #options: NodeRequestsOptions;
  readonly #asked: Map<number, Asked> = new Map();
  #last = 0;

  constructor(options: NodeRequestsOptions) {
    this.#options = options;
  }

  /** @throws ClusterError `timeout`, `down` when the session ends before the answer, `bad_options` for what the node refuses. */
  async ask(node: ClusterNode, name: string): Promise<unknown> {
    const { clock, codec, timeout } = this.#options;
    const id = (this.#last = (this.#last + 1) >>> 0);
    const answered = new Promise<Response>((resolve, reject) => {
      this.#asked.set(id, { node, answered: resolve, failed: reject });
    });
    const timer = clock.after(timeout, () =>
      this.#asked
        .get(id)
        ?.failed(new ClusterError('timeout', `No answer to "${name}" within ${timeout} ms.`, { node: node.name })),
    );
    try {
      node.send({ type: 'request', id, name, value: codec.pack(undefined) });
      const { ok, value } = await answered;
      if (!ok) throw new ClusterError('bad_options', String(codec.unpack(value)), { node: node.name });
      return codec.unpack(value);
    } finally {
      timer.cancel();
      this.#asked.delete(id);
    }
  }

  answered(response: Response): void {
    this.#asked.get(response.id)?.answered(response);
  }

  /** The session with the node is over: nothing that it was asked will be answered. */
  over(node: ClusterNode): void {
    const error = node.trouble ?? new ClusterError('down', 'The session with the node is over.', { node: node.name });
    for (const asked of this.#asked.values()) if (asked.node === node) asked.failed(error);
  }
}
