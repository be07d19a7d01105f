import type { LogLevel } from '@muster/rexi';
import { logLevels } from '@muster/rexi';
import { bad, read } from './arguments.ts';
import type { Command } from './command.ts';
import { complain, failuresOf, looking, lookingOptions, lookingUsage, printJson } from './looking.ts';

export const logLevel: Command = {
  says: 'sets how much nodes say in their logs, while they run',
  usage: `muster log-level: sets how much nodes say in their logs, until they end or are told otherwise.

  muster log-level LEVEL [NODE...] --nodes A,B --secret FILE [options]

  LEVEL                ${logLevels.join(', ')}
  NODE                 a node's name or address, among those of --nodes (default: all of them)
${lookingUsage}`,
  async run(argv, terminal) {
    const args = read(argv, lookingOptions, 'words');
    const [level, ...only] = args.words;
    if (!logLevels.includes(level as LogLevel)) throw bad(`muster log-level takes a level: ${logLevels.join(', ')}.`);
    return looking(args, 'operator', terminal, async (operator) => {
      const { answers, failures } = await operator.logLevel(level as LogLevel, only.length > 0 ? { only } : {});
      if (args.is('json')) {
        printJson(terminal, {
          nodes: answers.map(({ node, address, value }) => ({ node, address, ...value })),
          failures: failuresOf(failures),
        });
      } else {
        for (const { node, value } of answers)
          terminal.out(`${node} logs at ${value.level}; before, at ${value.before}.\n`);
      }
      return complain(terminal, failures) ? 1 : 0;
    });
  },
};
