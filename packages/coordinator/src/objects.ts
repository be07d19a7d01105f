import type { Clock, Message, ValueCodec } from '@muster/rexi';
import type { CallOptions, PassedPort, Resolver } from '@muster/store';
import { ByteCache, channelPort, ObjectClient, parseObjectKey, StoreError } from '@muster/store';
import type { ClusterNode } from './node.ts';

/** Keeps the process alive while the work is under way. */
export type Held = <T>(work: () => Promise<T>) => Promise<T>;

/** One node's objects, over the session with it. */
interface Access {
  readonly client: ObjectClient;
  readonly port: PassedPort;
}

/** Turns keys into values: asks the node that holds the object, over the session that may own it. */
export class ClusterObjects implements Resolver {
  readonly #clock: Clock;
  readonly #cache = new ByteCache();
  readonly #access: Map<ClusterNode, Access> = new Map();
  readonly #find: (node: string) => ClusterNode | undefined;
  readonly #codec: () => ValueCodec;
  readonly #held: Held;
  readonly #isClosed: () => boolean;

  constructor(options: {
    clock: Clock;
    codec: () => ValueCodec;
    find: (node: string) => ClusterNode | undefined;
    held: Held;
    isClosed: () => boolean;
  }) {
    this.#isClosed = options.isClosed;
    this.#held = options.held;
    this.#clock = options.clock;
    this.#codec = options.codec;
    this.#find = options.find;
  }

  async get(key: string, options: CallOptions): Promise<unknown> {
    return this.#codec().unpack(await this.#held(() => this.#client(key).get(key, options)));
  }

  async exists(key: string, options: CallOptions): Promise<boolean> {
    return this.#held(() => this.#client(key).exists(key, options));
  }

  async drop(key: string, options: CallOptions): Promise<void> {
    await this.#held(() => this.#client(key).drop(key, options));
  }

  /** Takes a message of a node that belongs to no cast; false when it is none of objects. */
  pass(node: ClusterNode, message: Message): boolean {
    return this.#access.get(node)?.port.pass(message) ?? false;
  }

  /** The session with the node is over: what is under way is lost, and the next call begins anew. */
  over(node: ClusterNode, reason: string): void {
    this.#access.get(node)?.port.over(reason);
    this.#access.delete(node);
  }

  #client(key: string): ObjectClient {
    const { node: name } = parseObjectKey(key);
    if (this.#isClosed()) throw new StoreError('closed', { key, store: name, detail: 'the cluster handle was closed' });
    const node = this.#find(name);
    if (node?.state !== 'up' && node?.state !== 'draining') {
      throw new StoreError('lost', {
        key,
        store: name,
        detail: node === undefined ? `there is no node ${name} in this cluster` : `${name} is ${node.state}`,
      });
    }
    const known = this.#access.get(node);
    if (known !== undefined) return known.client;
    const port = channelPort(node, () => undefined);
    const client = new ObjectClient(port, { clock: this.#clock, cache: this.#cache });
    this.#access.set(node, { client, port });
    return client;
  }
}
