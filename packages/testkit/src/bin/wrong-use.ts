/* oxlint-disable no-restricted-globals, no-console -- a command's own process: its error stream and its exit status */

/** A command line that cannot be run as it stands. */
export class WrongUse extends Error {
  override readonly name: string = 'WrongUse';
}

/** @throws WrongUse for anything but a whole number, 0 or more. */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new WrongUse(`--${name} takes a whole number, not "${text}".`);
}

/** What `run` gives; where the command line is wrong, a sentence on the error stream and exit code 2. */
export async function orRefuse<T>(program: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isWrongUse(error)) throw error;
    console.error(`${program}: ${error.message.split('\n')[0]} (--help lists the options)`);
    return process.exit(2);
  }
}

function isWrongUse(error: unknown): error is Error {
  if (error instanceof WrongUse) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
