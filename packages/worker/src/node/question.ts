import { ClusterError, mostListed } from '@muster/rexi';

/** What a field of a question has to be, and how it is said. */
export interface Fit<T> {
  readonly fits: (value: unknown) => value is T;
  readonly is: string;
}

export const aText: Fit<string> = {
  fits: (value): value is string => typeof value === 'string' && value.length <= 1_024,
  is: 'a text of at most 1024 characters',
};

export const texts: Fit<readonly string[]> = {
  fits: (value): value is readonly string[] =>
    Array.isArray(value) && value.length <= mostListed && value.every((one) => aText.fits(one)),
  is: `a list of at most ${mostListed} texts`,
};

export function oneOf<T extends string>(...known: readonly T[]): Fit<T> {
  return { fits: (value): value is T => known.includes(value as T), is: known.join(', ') };
}

export function whole(least: number, most: number): Fit<number> {
  return {
    fits: (value): value is number => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    is: `a whole number from ${least} to ${most}`,
  };
}

type Fitted<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] extends Fit<infer T> ? T : never };

/**
 * The fields of what goes with a question; all may be left out, and the question may go alone.
 * @throws ClusterError `bad_options` for a field that there is not, or that does not fit.
 */
export function fieldsOf<Fields extends Readonly<Record<string, Fit<unknown>>>>(
  value: unknown,
  fields: Fields,
): Fitted<Fields> {
  if (value === undefined) return {};
  const known = Object.keys(fields).join(', ');
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    throw bad(`This question takes a record of ${known}.`);
  }
  for (const [name, given] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined)
      throw bad(`This question takes no field ${JSON.stringify(name.slice(0, 64))}, but ${known}.`);
    if (given !== undefined && !field.fits(given)) throw bad(`The field "${name}" is ${field.is}.`);
  }
  return value;
}

export function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
