import { ClusterError } from '@muster/rexi';
import type { ParseArgsConfig } from 'node:util';
import { parseArgs } from 'node:util';

/** An option of a command: a text, or a switch. */
export type Options = Readonly<Record<string, 'text' | 'switch'>>;

/** What was said: texts, switches, and words that are no options. */
export interface Arguments {
  readonly words: readonly string[];
  /** Undefined where it was not given. */
  text(name: string): string | undefined;
  /** @throws ClusterError `bad_options` where it was not given. */
  need(name: string): string;
  is(name: string): boolean;
  /** A whole number. @throws ClusterError `bad_options` */
  whole(name: string, least: number, most: number): number | undefined;
}

/** Reads a command line. @throws ClusterError `bad_options` with a sentence that says what to do. */
export function read(argv: readonly string[], options: Options, words: 'words' | 'no words' = 'no words'): Arguments {
  const values = parse(argv, options, words === 'words');
  const text = (name: string): string | undefined => {
    const value = values.options[name];
    if (value === '') throw wrong(name, '', 'it is empty');
    return typeof value === 'string' ? value : undefined;
  };
  return {
    words: values.words,
    text,
    need(name) {
      const value = text(name);
      if (value === undefined) throw bad(`--${name} is missing; --help tells what it is.`);
      return value;
    },
    is: (name) => values.options[name] === true,
    whole(name, least, most) {
      const said = text(name);
      if (said === undefined) return undefined;
      const value = Number(said);
      if (/^\d+$/.test(said) && value >= least && value <= most) return value;
      throw wrong(name, said, `it takes a whole number from ${least} to ${most}`);
    },
  };
}

function parse(
  argv: readonly string[],
  options: Options,
  allowPositionals: boolean,
): { options: Readonly<Record<string, unknown>>; words: string[] } {
  const types = Object.entries(options).map(([name, kind]) => [name, { type: kind === 'text' ? 'string' : 'boolean' }]);
  const known = Object.fromEntries(types) as NonNullable<ParseArgsConfig['options']>;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: known, allowPositionals });
    return { options: values, words: positionals };
  } catch (error) {
    throw bad(`${error instanceof Error ? error.message.split('\n')[0] : String(error)} (--help lists the options)`);
  }
}

/** One sentence that names the option, as it was said. */
export function wrong(name: string, text: string, why: string): ClusterError {
  return bad(`--${name} ${/^[\w.:=,/+-]+$/.test(text) ? text : JSON.stringify(text)}: ${why}.`);
}

export function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
