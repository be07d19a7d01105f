import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr';
import { CloseCode } from '../close-code.ts';
import { ClusterError, ProtocolError } from '../errors.ts';
import { guard } from './guard.ts';
import { valueLimits } from './limits.ts';
import type { ValueLimits } from './limits.ts';
import { revive } from './revive.ts';
import { Shapes } from './shape.ts';
import type { Shape } from './shape.ts';
import { spill } from './spill.ts';
import { Walk } from './walk.ts';
import type { RefHook, Snapshot, WalkContext } from './snapshot.ts';
import { HEADER, MARKED, MAX_RECORDS } from './wire.ts';

export interface ValueCodecOptions {
  readonly limits?: Partial<ValueLimits>;
  readonly refs?: RefHook;
}

/** The encoder writes into one buffer until that is full, and a packed value keeps all of it alive. */
const SLAB = 8_192;
const LARGE = 65_536;

/** What is packed together: the tree, and what its snapshots know of it. */
interface Packable {
  readonly tree: unknown;
  special: boolean;
  items: number;
  /** How many records it would define: the number of its shapes, or any above the limit. */
  records: number;
}

/**
 * Users' values and their bytes. Every packed value stands for itself: records are defined in the message that uses
 * them. Own enumerable properties travel, by their values; a hole of an array becomes undefined, and a Uint8Array
 * arrives as the Buffer that it also is.
 */
export class ValueCodec {
  readonly limits: ValueLimits;
  readonly #context: WalkContext;
  readonly #packr = new Packr({
    structuredClone: false,
    moreTypes: true,
    useToJSON: false,
    maxSharedStructures: 0,
    maxOwnStructures: MAX_RECORDS,
  });
  readonly #unpackr = new Unpackr({
    structuredClone: false,
    mapsAsObjects: false,
    useRecords: true,
    copyBuffers: true,
  });

  constructor(options: ValueCodecOptions = {}) {
    this.limits = { ...valueLimits, ...options.limits };
    this.#context = { limits: this.limits, refs: options.refs, shapes: new Shapes() };
  }

  /**
   * Checks `value`, copies it and packs the copy; `root` is what a path in an error begins with.
   * @throws ClusterError `not_serializable`, with the path in its message and as its `detail`
   */
  pack(value: unknown, root = 'value'): Buffer {
    return this.packSnapshot(this.snapshot(value, root));
  }

  /**
   * A checked copy that shares nothing with `value` that could change, but for large binaries (see `shares`).
   * @throws ClusterError `not_serializable`, with the path in its message and as its `detail`
   */
  snapshot(value: unknown, root = 'value'): Snapshot {
    return new Walk(this.#context).run(value, root);
  }

  /** @throws ClusterError `not_serializable` if a limit is passed that only the packed form shows */
  packSnapshot(snapshot: Snapshot): Buffer {
    const { tree, special, items, shapes } = snapshot;
    return this.#encode({ tree, special, items, records: shapes.length });
  }

  /**
   * A batch. Its items are the snapshots' and one; its bytes are no fewer than theirs.
   * @throws ClusterError `not_serializable` if together they pass a limit
   */
  packRows(snapshots: readonly Snapshot[]): Buffer {
    return this.#encode(this.#batch(snapshots));
  }

  /** @throws ProtocolError `badValue` */
  unpack(bytes: Uint8Array): unknown {
    guard(bytes, this.limits);
    return this.#decode(bytes);
  }

  /**
   * The rows of a batch of exactly `count`.
   * @throws ProtocolError `badValue`
   */
  unpackRows(bytes: Uint8Array, count: number): unknown[] {
    guard(bytes, this.limits, count);
    return this.#decode(bytes) as unknown[];
  }

  #batch(snapshots: readonly Snapshot[]): Packable {
    const rows: Packable = { tree: snapshots.map(({ tree }) => tree), special: false, items: 1, records: 0 };
    const id = this.#context.shapes.begin();
    let last: readonly Shape[] | undefined;
    for (const { items, special, shapes } of snapshots) {
      rows.items += items;
      rows.special ||= special;
      if (shapes !== last) rows.records += countNew(shapes, id);
      last = shapes;
    }
    return rows;
  }

  #encode(packable: Packable): Buffer {
    const { tree, items, special } = packable.records > MAX_RECORDS ? this.#spill(packable) : packable;
    if (items > this.limits.items) refuse(`more than ${this.limits.items} items`);
    const bytes = this.#packr.pack(tree, RESERVE_START_SPACE | 1);
    bytes[0] = special ? HEADER | MARKED : HEADER;
    if (bytes.length > LARGE) this.#packr.useBuffer(Buffer.allocUnsafeSlow(SLAB));
    return bytes.length <= this.limits.bytes ? bytes : refuse(`more than ${this.limits.bytes} bytes`);
  }

  #spill({ tree, items, records }: Packable): Packable {
    const spilled = spill(tree, this.#context.shapes);
    return { tree: spilled.tree, items: items + spilled.items, special: true, records };
  }

  #decode(bytes: Uint8Array): unknown {
    try {
      // A Buffer of its own: the decoder leaves a property on what it is given, and makes binaries of the same class.
      const body = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1);
      const value: unknown = this.#unpackr.unpack(body);
      return bytes[0] === HEADER ? value : revive(value, this.#context.refs);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      throw new ProtocolError(CloseCode.badValue, `A value cannot be decoded: ${String(error)}`);
    }
  }
}

/** How many of `shapes` the batch `id` has not met yet. */
function countNew(shapes: readonly Shape[], id: number): number {
  let count = 0;
  for (const shape of shapes) {
    if (shape.seen !== id) count++;
    shape.seen = id;
  }
  return count;
}

function refuse(what: string): never {
  throw new ClusterError('not_serializable', `The values are not serializable together: ${what}.`);
}
