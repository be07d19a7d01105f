import { Channel } from '@muster/rexi';

/** A bug that can be planted: one rule that is broken as long as it is. */
export interface Planted {
  readonly name: string;
  /** The rule that it breaks. */
  readonly breaks: string;
  /** Plants it, in every instance there is and will be; what it returns takes it out. */
  readonly plant: () => () => void;
}

/** Replaces a method by what `make` makes of it. */
export function swap<T extends object, Name extends keyof T>(
  prototype: T,
  name: Name,
  make: (real: T[Name]) => T[Name],
): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (descriptor === undefined) throw new Error(`There is no method "${String(name)}" to plant a bug in.`);
  Object.defineProperty(prototype, name, { ...descriptor, value: make(descriptor.value as T[Name]) });
  return () => void Object.defineProperty(prototype, name, descriptor);
}

/** Replaces what a getter gives by what `make` makes of it. */
export function fix<T extends object, Name extends keyof T>(
  prototype: T,
  name: Name,
  make: (real: T[Name], of: T) => T[Name],
): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  const real = descriptor?.get;
  if (descriptor === undefined || real === undefined) throw new Error(`There is no getter "${String(name)}".`);
  Object.defineProperty(prototype, name, {
    ...descriptor,
    get(this: T) {
      return make(real.call(this) as T[Name], this);
    },
  });
  return () => void Object.defineProperty(prototype, name, descriptor);
}

export function all(...undo: readonly (() => void)[]): () => void {
  return () => undo.forEach((one) => one());
}

/** Nobody sends messages of this type any more. */
export function unsaid(type: string): () => void {
  return swap(
    Channel.prototype,
    'send',
    (real) =>
      function send(this: Channel, message, atHandOver) {
        if (message.type !== type) real.call(this, message, atHandOver);
      },
  );
}

/** Every cast is said twice. */
export function castsTwice(): () => void {
  return swap(
    Channel.prototype,
    'send',
    (real) =>
      function send(this: Channel, message, atHandOver) {
        real.call(this, message, atHandOver);
        if (message.type === 'cast') real.call(this, message, atHandOver);
      },
  );
}
