/** What `await`, JSON, printing and test runners look for in any value, and call when it is there. */
const askedFor = ['then', 'toJSON', 'inspect', 'asymmetricMatch', '$$typeof'] as const;

/** A name that every value may be asked for, by the language or by its tools. */
export type ReservedName = (typeof askedFor)[number] | keyof typeof Object.prototype;

/**
 * Whether no job has this name: jobs are properties of one object at their callers, and looking at that would run it.
 * Nodes refuse it when they load their jobs, coordinators do not offer it.
 */
export function isReservedName(name: string): boolean {
  return askedFor.some((asked) => asked === name) || name in Object.prototype;
}
