/** Exit codes by convention: 128 and the signal's number. */
const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Somebody wants the demo to end before its time. */
export class Interruption extends Error {
  override readonly name: string = 'Interruption';
  readonly exitCode: number;

  constructor(signal: keyof typeof codes) {
    super(`Interrupted by ${signal}.`);
    this.exitCode = codes[signal];
  }
}

/** Rejects at the first signal that asks for the end; those after it change nothing, since the end is under way. */
export function interruption(): Promise<never> {
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => reject(new Interruption(signal)));
    // Whoever read the output has gone: as if the terminal had been closed.
    process.stdout.on('error', () => reject(new Interruption('SIGHUP')));
  });
  // It may come when nobody waits for it any more.
  interrupted.catch(() => undefined);
  return interrupted;
}
