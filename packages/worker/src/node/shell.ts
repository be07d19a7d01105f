import type { LogLevel } from '@muster/rexi';

/** The node around its agent, as far as operators reach it. */
export interface Shell {
  /** Lets what runs end within `ms` milliseconds, takes nothing new, and then ends the node. */
  drain(ms: number): void;
  /** What the node was started with, defaults included and secrets not: plain values. */
  config(): Readonly<Record<string, unknown>>;
  /** How much the node says. Setting it holds from the next line on. */
  readonly log: { level: LogLevel };
}
