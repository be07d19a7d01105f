import { errorClass, errorFields } from './error-form.ts';
import { SHARED_BYTES, fitsBig, forms, isInt64 } from './forms.ts';
import { Refusal, explain, pathOf } from './refusal.ts';
import type { Step } from './refusal.ts';
import type { Shape } from './shape.ts';
import type { Snapshot, WalkContext } from './snapshot.ts';
import { survivesUtf8, unfitKey } from './text.ts';
import { BIG_BYTES, HEAVY, MARK, MAX_RECORDS, escapeKey, mapWeight } from './wire.ts';
import type { Kind } from './wire.ts';

const NONE: never[] = [];
const UNFIT_TYPE = "a Map's key is a string, number, boolean, null, undefined or a bigint of 64 bits";

/** Where a walk is: the containers it is in, from depth 1, and the step it has taken in each. */
interface Trail {
  readonly steps: Step[];
  readonly above: object[];
}
const NO_TRAIL: Trail = { steps: [], above: [] };

/** One walk over a value. It is its own result, so that a row costs one small object more than its copy. */
export class Walk implements Snapshot {
  tree: unknown = undefined;
  special = false;
  shares = false;
  items = 1;
  bytes = 1;
  refs: string[] = NONE;
  shapes: readonly Shape[] = NONE;
  readonly #context: WalkContext;
  readonly #id: number;
  #trail: Trail = NO_TRAIL;

  constructor(context: WalkContext) {
    this.#context = context;
    this.#id = context.shapes.begin();
  }

  /** @throws ClusterError `not_serializable` */
  run(value: unknown, root: string): this {
    try {
      this.tree = this.plain(value) ? value : this.odd(value, '', 0);
      this.weigh(0, 0, 0); // the text of the container left last has not been held to the limit
      this.#trail = NO_TRAIL;
      return this;
    } catch (error) {
      throw explain(error, root);
    }
  }

  /** Whether `value` travels as it is: most fields of most rows do. */
  plain(value: unknown): boolean {
    if (typeof value === 'string') {
      this.bytes += value.length;
      return survivesUtf8(value);
    }
    if (typeof value === 'number') return value !== 0 || !Object.is(value, -0);
    return value === null || value === undefined || typeof value === 'boolean';
  }

  /** What stands for a value that is not plain, met at `step` of the container at `depth`. */
  odd(value: unknown, step: Step, depth: number): unknown {
    switch (typeof value) {
      case 'object':
        return this.#object(value as object, step, depth);
      case 'bigint':
        return fitsBig(value) ? value : this.refuse(`a bigint has at most ${8 * BIG_BYTES} bits`, step, depth);
      case 'number':
        return this.#markedLeaf('-0', [], step, depth);
      case 'string':
        return this.#markedLeaf('utf16', [['bytes', Buffer.from(value, 'utf16le')]], step, depth);
      default:
        return this.refuse(`a ${typeof value} cannot travel`, step, depth);
    }
  }

  /** Adds to the weight and holds it to the limits. */
  weigh(items: number, bytes: number, depth: number): void {
    const { limits } = this.#context;
    this.items += items;
    this.bytes += items + bytes;
    if (this.items > limits.items) this.refuse(`more than ${limits.items} items`, undefined, depth);
    if (this.bytes > limits.bytes) this.refuse(`more than ${limits.bytes} bytes`, undefined, depth);
  }

  /** Notes whether the bytes of `view` stay the user's own. */
  share(view: { readonly byteLength: number }): boolean {
    const shared = view.byteLength >= SHARED_BYTES;
    if (shared) this.shares = true;
    return shared;
  }

  /** A map that stands for something else. */
  marked(kind: Kind, fields: Iterable<readonly [string, unknown]>, depth: number): Map<string, unknown> {
    const map = new Map<string, unknown>([[MARK, kind], ...fields]);
    this.special = true;
    this.weigh(mapWeight(map.size), 0, depth);
    return map;
  }

  /** A map that stands for no container, and yet is one level of depth on the wire. */
  #markedLeaf(kind: Kind, fields: readonly (readonly [string, unknown])[], step: Step, depth: number): unknown {
    const { depth: most } = this.#context.limits;
    if (depth >= most) this.refuse(`${kind} takes a level of its own, and is nested deeper than ${most}`, step, depth);
    this.weigh(fields.length * (HEAVY - 1), 0, depth);
    return this.marked(kind, fields, depth);
  }

  mapKey(key: unknown, depth: number): void {
    const { keyBytes } = this.#context.limits;
    const fits = typeof key === 'bigint' ? isInt64(key) : this.plain(key);
    const unfit = typeof key === 'string' ? unfitKey(key, keyBytes) : fits ? undefined : UNFIT_TYPE;
    if (unfit !== undefined) this.refuse(unfit, undefined, depth);
  }

  /** Ends the walk. Without a step it is the container at `depth` itself that is refused. */
  refuse(why: string, step: Step | undefined, depth: number): never {
    const steps = this.#trail.steps.slice(1, depth);
    if (step !== undefined && depth > 0) steps.push(step);
    throw new Refusal(why, steps.map(pathOf).join(''));
  }

  #object(value: object, step: Step, above: number): unknown {
    const depth = above + 1;
    this.#enter(value, step, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#record(value, depth);
    if (prototype === Array.prototype && Array.isArray(value)) return this.#array(value, depth);
    const form = forms.get(prototype as object);
    return form ? form(this, value as never, depth) : this.#instance(value, depth);
  }

  #enter(value: object, step: Step, depth: number): void {
    // With room for one level, which is all that most rows need: a list that grows from nothing takes room for 17.
    if (this.#trail === NO_TRAIL) this.#trail = { steps: [step], above: [NONE, value] };
    const { steps, above } = this.#trail;
    steps[depth - 1] = step;
    above[depth] = value;
    if (depth > this.#context.limits.depth) this.#tooDeep(depth);
  }

  /** A cycle always gets here, so looking for one costs nothing before. */
  #tooDeep(depth: number): never {
    const { above } = this.#trail;
    const again = above.findIndex((container, at) => at > 0 && above.indexOf(container) < at);
    if (again > 0 && again <= depth) this.refuse('it contains itself', undefined, again);
    return this.refuse(`nested deeper than ${depth - 1}`, undefined, depth);
  }

  #record(value: object, depth: number): unknown {
    // The spread first: what is checked below is the copy, which no getter or Proxy can change any more.
    const tree: Record<string, unknown> = { ...value };
    let shape = this.#context.shapes.root;
    let size = 0;
    for (const key in tree) {
      shape = shape.key === key ? shape.next! : this.#step(shape, key, depth);
      const item = tree[key];
      if (!this.plain(item)) this.#field(tree, key, depth);
      size++;
    }
    if (!shape.record) return this.marked('object', escaped(tree), depth);
    this.weigh(size, 0, depth);
    this.#meet(shape);
    return tree;
  }

  #field(tree: Record<string, unknown>, key: string, depth: number): void {
    // What somebody has put on Object.prototype is enumerated as well, and is not sent.
    if (Object.hasOwn(tree, key)) tree[key] = this.odd(tree[key], key, depth);
  }

  #step(shape: Shape, key: string, depth: number): Shape {
    const known = shape.follow(key);
    if (known) return known;
    const unfit = unfitKey(key, this.#context.limits.keyBytes);
    if (unfit !== undefined) this.refuse(unfit, undefined, depth);
    return this.#context.shapes.grow(shape, key);
  }

  #meet(shape: Shape): void {
    if (shape.seen === this.#id) return;
    shape.seen = this.#id;
    if (this.shapes === NONE) this.shapes = shape.alone;
    else if (this.shapes.length <= MAX_RECORDS) this.shapes = [...this.shapes, shape];
  }

  #array(value: readonly unknown[], depth: number): unknown[] {
    const { length } = value;
    this.weigh(length, 0, depth);
    const tree: unknown[] = [];
    for (let index = 0; index < length; index++) {
      const item = value[index];
      tree.push(this.plain(item) ? item : this.odd(item, index, depth));
    }
    return tree;
  }

  #instance(value: object, depth: number): unknown {
    const key = this.#context.refs?.encode(value);
    if (key !== undefined) return this.#ref(key, depth);
    const className = errorClass(value);
    if (className === undefined) return this.refuse(`${describe(value)} cannot travel`, undefined, depth);
    const fields = errorFields(value as Error, className);
    return this.marked(
      'error',
      fields.map(([name, item]) => [name, this.plain(item) ? item : this.odd(item, name, depth)]),
      depth,
    );
  }

  #ref(key: string, depth: number): unknown {
    if (this.refs === NONE) this.refs = [];
    this.refs.push(key);
    this.bytes += key.length;
    return this.marked('ref', [['key', key]], depth);
  }
}

function* escaped(tree: Record<string, unknown>): Generator<[string, unknown]> {
  for (const key of Object.keys(tree)) yield [escapeKey(key), tree[key]];
}

function describe(value: object): string {
  const { constructor } = value;
  const name = typeof constructor === 'function' ? constructor.name : '';
  return name === '' ? 'an object of an unknown class' : `an object of class ${name}`;
}
