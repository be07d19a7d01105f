import { types } from 'node:util';

/** The classes that are rebuilt. A closed table: a name from the wire is never looked up anywhere else. */
const prototypes: ReadonlyMap<string, object> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map((known) => [
    known.prototype.name,
    known.prototype as object,
  ]),
);
const names: ReadonlyMap<object, string> = new Map(Array.from(prototypes, ([name, prototype]) => [prototype, name]));

/** No sane class has more ancestors; a Proxy can have them without end. */
const MOST_ANCESTORS = 64;

/** The built-in error class that `value` is of or descends from; undefined for what is no error. */
export function errorClass(value: object): string | undefined {
  let prototype: unknown = Object.getPrototypeOf(value);
  for (let step = 0; prototype !== null && step < MOST_ANCESTORS; step++) {
    const name = names.get(prototype as object);
    if (name !== undefined) return name;
    prototype = Object.getPrototypeOf(prototype);
  }
  return types.isNativeError(value) ? 'Error' : undefined; // of another realm
}

/** What travels of an error. A field that is not what it should be is left out: the rest is still worth having. */
export function errorFields(error: Error, className: string): [string, unknown][] {
  const { name, message, stack, code } = error as Error & { code?: unknown };
  const fields: [string, unknown][] = [
    ['class', className],
    ['name', typeof name === 'string' ? name : className],
    ['message', typeof message === 'string' ? message : ''],
  ];
  if (typeof stack === 'string') fields.push(['stack', stack]);
  if (typeof code === 'string' || typeof code === 'number') fields.push(['code', code]);
  if ('cause' in error) fields.push(['cause', error.cause]);
  if (className === 'AggregateError') fields.push(['errors', (error as AggregateError).errors]);
  return fields;
}

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isCode: Check = (value) => typeof value === 'string' || typeof value === 'number';

const checks: ReadonlyMap<unknown, Check> = new Map<unknown, Check>([
  ['class', (value) => prototypes.has(value as string)],
  ['name', isText],
  ['message', isText],
  ['stack', isText],
  ['code', isCode],
  ['cause', () => true],
  ['errors', Array.isArray],
]);

/** The error of these fields; undefined if they are not what `errorFields` makes. */
export function rebuildError(fields: ReadonlyMap<unknown, unknown>): Error | undefined {
  for (const [field, value] of fields) if (!checks.get(field)?.(value)) return undefined;
  const [name, message, prototype] = [
    fields.get('name'),
    fields.get('message'),
    prototypes.get(String(fields.get('class'))),
  ];
  if (typeof name !== 'string' || typeof message !== 'string' || !prototype) return undefined;
  // `isNativeError` asks how an object was made, so it is made as an Error and then becomes what it was.
  const error: Error = Object.setPrototypeOf(new Error(message), prototype);
  if (error.name !== name) hide(error, 'name', name);
  // The stack of the rebuilding tells nobody anything.
  hide(error, 'stack', fields.get('stack') ?? `${name}: ${message}`);
  for (const field of ['cause', 'errors']) if (fields.has(field)) hide(error, field, fields.get(field));
  return fields.has('code') ? Object.assign(error, { code: fields.get('code') }) : error;
}

/** Like the property that the language itself makes: not enumerable. */
function hide(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, enumerable: false, configurable: true });
}
