import type { ObjectEnd, ObjectGet } from '@muster/rexi';
import { CloseCode, ProtocolError } from '@muster/rexi';
import { parseObjectName, type ObjectName } from './object-key.ts';
import { ObjectSender } from './object-sender.ts';
import type { ObjectTable } from './object-table.ts';
import { maxCredit, maxTransfers, violation, type ObjectAnswer, type ObjectAsk } from './transfer.ts';

export interface ObjectServiceOptions {
  readonly table: ObjectTable;
  send(message: ObjectAnswer): void;
  /** The session that the link speaks for, and whose objects it may drop; none for a peer's link. */
  readonly session?: string | undefined;
  /** Most bytes of a chunk, see `chunkFor`; by default for frames of 64 KiB. */
  readonly chunk?: number;
}

interface Transfer {
  readonly object: ObjectName;
  readonly sender: ObjectSender;
}

/** The holding side of one link: answers what its peer asks about the objects of this node's table. */
export class ObjectService {
  readonly #options: ObjectServiceOptions;
  readonly #transfers = new Map<number, Transfer>();

  constructor(options: ObjectServiceOptions) {
    this.#options = options;
  }

  /** Transfers and questions under way. */
  get active(): number {
    return this.#transfers.size;
  }

  /** @throws ProtocolError when the peer broke a rule: the link has to be closed with its code. */
  receive(message: ObjectAsk): void {
    switch (message.type) {
      case 'object-get':
        return this.#get(message);
      case 'object-ack':
        return this.#ack(message.id, message.bytes);
      case 'object-end':
        return this.#end(message);
    }
  }

  /** The link is over: nothing is sent any more, and no object is held for its transfers. */
  closed(): void {
    this.#transfers.clear();
  }

  #get({ id, object: name, credit }: ObjectGet): void {
    const object = parseObjectName(name);
    if (object === undefined)
      throw new ProtocolError(CloseCode.badMessage, 'The peer asked for what is no object name.');
    if (this.#transfers.has(id)) throw violation(`asked twice under the number ${id}`);
    if (credit > maxCredit) throw violation(`gave a credit of ${credit} bytes, more than ${maxCredit}`);
    if (this.#transfers.size >= maxTransfers) throw violation(`has more than ${maxTransfers} transfers open`);
    const found = this.#options.table.read(object);
    if (found.is !== 'here') return this.#answer([{ type: 'object-end', id, code: found.is }]);
    const { chunk } = this.#options;
    const sender = new ObjectSender({ id, bytes: found.bytes, credit, ...(chunk === undefined ? {} : { chunk }) });
    this.#transfers.set(id, { object, sender });
    this.#go(id, sender, sender.open());
  }

  /** An ack that crossed the last chunk finds nobody. */
  #ack(id: number, total: number): void {
    const transfer = this.#transfers.get(id);
    if (transfer) this.#go(id, transfer.sender, transfer.sender.ack(total));
  }

  #end({ id, code }: ObjectEnd): void {
    const transfer = this.#transfers.get(id);
    if (transfer === undefined) return;
    this.#transfers.delete(id);
    if (code !== 'drop') return;
    const { table, session } = this.#options;
    this.#answer([{ type: 'object-end', id, code: table.drop(transfer.object, session) }]);
  }

  #go(id: number, sender: ObjectSender, messages: readonly ObjectAnswer[]): void {
    if (sender.done) this.#transfers.delete(id);
    this.#answer(messages);
  }

  #answer(messages: readonly ObjectAnswer[]): void {
    for (const message of messages) this.#options.send(message);
  }
}
