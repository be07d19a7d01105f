/** What the user can put right: told as a sentence, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}
