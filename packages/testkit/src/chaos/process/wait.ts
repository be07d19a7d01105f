/** Between two looks, in milliseconds. */
const looks = 5;

/** Waits; for what has to last, not for what has to come true. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

const turn = (): Promise<void> => pause(looks);

/** Something did not come in time; on a machine that is busy with other things it may yet have come. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

type Found<T> = Exclude<T, false | null | undefined>;

/** Looks until there is something; returns it. @throws with `what` when `ms` milliseconds have passed without. */
export async function until<T>(what: string, look: () => T | Promise<T>, ms = 10_000): Promise<Found<T>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as Found<T>;
    if (performance.now() > deadline) throw new LateError(`This did not come true within ${ms} ms: ${what}.`);
    await turn();
  }
}

/** Looks for `ms` milliseconds whether something stays true. @throws with `what` at the first look at which it is not. */
export async function throughout(what: string, ms: number, look: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (!(await look())) throw new Error(`This did not stay true for ${ms} ms: ${what}.`);
    await turn();
  }
}

/** The error that a promise ends with. @throws when it does not end with one. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string; cause?: unknown }> {
  const value: unknown = await promise.then(
    (result) => ({ result }),
    (error: unknown) => error,
  );
  if (value instanceof Error) return value;
  throw new Error(`An error was expected, and this came: ${JSON.stringify(value)}.`);
}

/** A sentence is thrown away unless the promise is late. @throws with `what` when it has not settled after `ms`. */
export async function within<T>(what: string, ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError(`This did not end within ${ms} ms: ${what}.`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
