/** A lab that cannot do what was asked of it, or a promise that was seen broken. The message says which. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
  }
}
