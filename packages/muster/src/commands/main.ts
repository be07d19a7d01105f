import { ClusterError } from '@muster/rexi';
import { certs } from '../certs/command.ts';
import type { Command, Terminal } from './command.ts';
import { drain } from './drain.ts';
import { key } from './key.ts';
import { kill } from './kill.ts';
import { config, errors, nodes, sessions } from './lists.ts';
import { logLevel } from './log-level.ts';
import { ps } from './ps.ts';
import { watch } from './watch.ts';

/** All commands, in the order in which the help lists them. */
export const commands: Readonly<Record<string, Command>> = {
  ps,
  nodes,
  sessions,
  errors,
  config,
  watch,
  kill,
  drain,
  'log-level': logLevel,
  key,
  certs,
};

export const usage: string = `muster: looks into a running cluster, and changes what runs there.

  muster COMMAND [options]

${Object.entries(commands)
  .map(([name, { says }]) => `  ${name.padEnd(12)} ${says}`)
  .join('\n')}

  muster COMMAND --help tells the options of one; muster --version.

Exit codes: 0 done; 1 something could not be reached or done; 2 wrong use.`;

/** Runs a command line; resolves with the exit code. */
export async function main(argv: readonly string[], terminal: Terminal, version: () => string): Promise<number> {
  const [name = '', ...rest] = argv;
  if (name === '--help') return say(terminal, usage);
  if (name === '--version') return say(terminal, version());
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const what = name === '' ? 'A command is missing' : `There is no command ${JSON.stringify(name)}`;
    terminal.err(`muster: ${what}; there are ${Object.keys(commands).join(', ')} (--help tells what they do).\n`);
    return 2;
  }
  if (rest.includes('--help')) return say(terminal, command.usage);
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    terminal.err(`muster ${name}: ${error.text}\n`);
    return error.code === 'bad_options' ? 2 : 1;
  }
}

function say(terminal: Terminal, text: string): 0 {
  terminal.out(`${text}\n`);
  return 0;
}
