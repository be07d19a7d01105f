import type { LogLevel } from '@muster/rexi';
import { logLevels } from '@muster/rexi';

/** The node around its agent, as far as operators reach it. */
export interface Shell {
  /** Lets what runs end within `ms` milliseconds, takes nothing new, and then ends the node. */
  drain(ms: number): void;
  /** What the node was started with, defaults included and secrets not: plain values. */
  config(): Readonly<Record<string, unknown>>;
  /** How much the node says. Setting it holds from the next line on. */
  readonly log: { level: LogLevel };
}

/** Whether a line of this level is to be said. */
export function isSaid({ level }: Shell['log'], line: Exclude<LogLevel, 'silent'>): boolean {
  return logLevels.indexOf(line) >= logLevels.indexOf(level);
}
