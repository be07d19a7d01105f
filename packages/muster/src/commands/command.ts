/** Where a command reads and writes; the program around it owns the process. */
export interface Terminal {
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to the error stream. */
  err(text: string): void;
  /** Standard output is a screen, on which a table can be drawn again. */
  readonly isScreen: boolean;
  /** Resolves after so many milliseconds, or when the command is to end; until then the program goes on. */
  pause(ms: number): Promise<void>;
  /** Aborted when the command is to end: Ctrl-C, SIGTERM, or nobody reads its output any more. */
  readonly end: AbortSignal;
}

/** One command of `muster`. */
export interface Command {
  /** What it does, in a line. */
  readonly says: string;
  /** All of its help. */
  readonly usage: string;
  /**
   * Runs it; resolves with the exit code: 0 done, 1 something could not be reached or done.
   * @throws ClusterError `bad_options` for wrong use, which is exit code 2
   */
  run(argv: readonly string[], terminal: Terminal): Promise<number>;
}
