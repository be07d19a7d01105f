import type { LogLevel } from '@muster/rexi';
import { logLevels } from '@muster/rexi';

type LineLevel = Exclude<LogLevel, 'silent'>;

/** What a line is about, beside its sentence: `job`, `ref`, `trace`, … */
export type Facts = Readonly<Record<string, unknown>>;

/** Where a node's lines go: its own, and those of its jobs. */
export interface Log {
  /** What is below it is not written. May be changed at any time. */
  level: LogLevel;
  /** Whether a line of this level would be written: for those that cost something to make. */
  has(level: LineLevel): boolean;
  write(level: LineLevel, message: string, facts?: Facts): void;
}

export function isLogLevel(value: unknown): value is LogLevel {
  return (logLevels as readonly unknown[]).includes(value);
}

/** A log that nobody reads. */
export const noLog: Log = { level: 'silent', has: () => false, write: () => undefined };

/** Lines about what went wrong, as they are: for a node whose owner gives no log. */
export function plainLog(tell: (line: string) => void): Log {
  return {
    level: 'warn',
    has(level) {
      return logLevels.indexOf(level) >= logLevels.indexOf(this.level);
    },
    write(level, message) {
      if (this.has(level)) tell(message);
    },
  };
}
