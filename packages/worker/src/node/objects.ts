import type { Clock, Constants, Entropy, Identity, Message, Transport } from '@muster/rexi';
import { Channel, CloseCode, ClusterError } from '@muster/rexi';
import type { ObjectAsk, ObjectPort } from '@muster/store';
import {
  channelPort,
  chunkFor,
  formatObjectKey,
  ObjectService,
  ObjectTable,
  parseObjectKey,
  PeerResolver,
} from '@muster/store';
import { largestAnswer } from '../executor/inbox.ts';
import type { Job } from './job.ts';
import type { LinkId, Session } from './sessions.ts';

export interface ObjectsOptions {
  readonly identity: Identity;
  /** The address under which other nodes reach this one. */
  readonly address: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly constants: Constants;
  readonly transport: Transport;
  readonly secret: Uint8Array;
  /** Most bytes of objects held. Default 1 GiB. */
  readonly budget?: number;
}

/** The objects of a node: its own table, served to whoever is linked, and the way to those of other nodes. */
export class Objects {
  readonly table: ObjectTable;
  readonly #options: ObjectsOptions;
  readonly #resolver: PeerResolver;
  readonly #services: Map<LinkId, { readonly service: ObjectService; readonly send: (message: Message) => void }> =
    new Map();

  constructor(options: ObjectsOptions) {
    const { identity, entropy, clock, budget } = options;
    this.#options = options;
    this.table = new ObjectTable({
      incarnation: identity.incarnation,
      entropy,
      ...(budget === undefined ? {} : { budget }),
    });
    const local = { node: identity.id, table: this.table };
    this.#resolver = new PeerResolver({ clock, local, dial: (address, node) => this.#dial(address, node) });
  }

  linked(link: LinkId, send: (message: Message) => void): void {
    this.#services.set(link, { service: this.#service(send), send });
  }

  /** A session speaks over the link from now on: it may drop what it owns. */
  opened(link: LinkId, session: Session): void {
    const known = this.#services.get(link);
    if (known === undefined) return;
    known.service.closed();
    const { send } = known;
    this.#services.set(link, { send, service: this.#service(send, nameOf(session)) });
  }

  unlinked(link: LinkId): void {
    this.#services.get(link)?.service.closed();
    this.#services.delete(link);
  }

  message(link: LinkId, message: Message): void {
    if (isAsk(message)) this.#services.get(link)?.service.receive(message);
  }

  /** What only looks like a key is nobody's object: an executor that makes keys up gains nothing by it. */
  adopt(session: Session, keys: readonly string[]): void {
    if (keys.length > 0) this.table.adopt(keys.filter(isKey), nameOf(session));
  }

  endJob(task: number): void {
    this.table.endJob(task);
  }

  endSession(session: Session): void {
    this.table.endSession(nameOf(session));
  }

  /** What a job's store asks for; see agent-connector.ts for the operations. */
  async operate({ session, task }: Job, operation: string, payload: Uint8Array): Promise<Uint8Array> {
    // An object that is put is no key, and may be very long.
    const key = operation === 'put' ? '' : keyOf(payload);
    switch (operation) {
      case 'put': {
        const { identity, address } = this.#options;
        const id = this.table.put({ job: task.id, session: nameOf(session) }, payload);
        const { id: node, incarnation } = identity;
        return Buffer.from(formatObjectKey({ node, incarnation, id, size: payload.length, address }));
      }
      case 'get':
        return framed(await this.#resolver.get(key));
      case 'exists':
        return Buffer.of((await this.#resolver.exists(key)) ? 1 : 0);
      case 'evict':
        await this.#resolver.drop(key, nameOf(session));
        return Buffer.alloc(0);
      default:
        throw new ClusterError('protocol_error', `An executor asked for the store operation "${operation}".`);
    }
  }

  close(): void {
    this.#resolver.close();
  }

  #service(send: (message: Message) => void, session?: string): ObjectService {
    const { frame } = this.#options.constants;
    return new ObjectService({ table: this.table, send, session, chunk: chunkFor(frame) });
  }

  async #dial(address: string, node: string): Promise<ObjectPort> {
    const { identity, secret, transport, constants, clock } = this.#options;
    const peer: Identity = { ...identity, role: 'peer' };
    const link = await transport.dial(address, { identity: peer, secret, expect: node, timeout: constants.connect });
    const channel: Channel = new Channel(link, {
      clock,
      constants,
      handler: {
        message: (message) => void port.pass(message),
        ended: (end) => port.over(end.reason || `close code ${end.code}`),
      },
    });
    const port = channelPort(channel, () => channel.close(CloseCode.normal, 'no longer needed'));
    return port;
  }
}

/** Bytes of the longest key, and more. */
const longestKey = 4_096;

function keyOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, Math.min(byteLength, longestKey)).toString();
}

/** 1 and the object, as an answer to an executor. @throws ClusterError `limit` for what it could not read. */
export function framed(object: Uint8Array, limit: number = largestAnswer): Uint8Array {
  if (object.length <= limit) return Buffer.concat([Buffer.of(1), object]);
  throw new ClusterError(
    'limit',
    `An object of ${object.length} bytes is larger than the ${limit} that a job can get: put it in parts.`,
    { detail: 'object' },
  );
}

function isKey(text: string): boolean {
  try {
    parseObjectKey(text);
    return true;
  } catch {
    return false;
  }
}

function nameOf({ incarnation, number }: Session): string {
  return `${incarnation}/${number}`;
}

function isAsk(message: Message): message is ObjectAsk {
  return message.type === 'object-get' || message.type === 'object-ack' || message.type === 'object-end';
}
