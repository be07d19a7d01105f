import { pino } from 'pino';
import { escaped } from '../executor/one-line.ts';
import type { LogLevel } from '@muster/rexi';
import type { Log } from './log.ts';
import { readable } from './readable.ts';
import { cut, tidy } from './tidy.ts';

export interface PinoLogOptions {
  /** Whose lines they are. */
  readonly node: string;
  readonly level: LogLevel;
  /** One JSON object a line; else a line for people. */
  readonly json: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Texts that no line may have, whoever says them. */
  readonly secrets?: readonly string[];
  /** Takes one line, its newline included. */
  write(line: string): void;
}

/** A log by pino: one line each, of which no value is longer than 2 KiB, steers a terminal, or is a secret. */
export function pinoLog({ node, level, json, now, secrets = [], write }: PinoLogOptions): Log {
  const hidden = secrets.map((secret) => secret.trim()).filter((secret) => secret !== '');
  const logger = pino(
    {
      level,
      base: { node },
      timestamp: () => `,"time":${now()}`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(text: string) {
        // Before it is made readable: in JSON it is written in one way only.
        const line = hidden.reduce((rest, secret) => rest.replaceAll(inJson(secret), '[withheld]'), text.trimEnd());
        write(`${json ? escaped(line) : readable(JSON.parse(line) as Record<string, unknown>)}\n`);
      },
    },
  );
  return {
    get level() {
      return logger.level as LogLevel;
    },
    set level(next) {
      logger.level = next;
    },
    has: (level) => logger.isLevelEnabled(level),
    write(level, message, facts = {}) {
      if (logger.isLevelEnabled(level)) logger[level](tidy(facts), cut(message));
    },
  };
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
