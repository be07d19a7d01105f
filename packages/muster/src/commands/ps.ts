import { mostListed } from '@muster/rexi';
import { read } from './arguments.ts';
import type { Command } from './command.ts';
import { complain, failuresOf, looking, lookingOptions, lookingUsage, printJson } from './looking.ts';
import { jobLines, jobsOf } from './views.ts';

export const ps: Command = {
  says: 'jobs that are under way: reference, name, whose, state, age, rows, queue',
  usage: `muster ps: jobs that are under way, the oldest first.

  muster ps --nodes A,B --secret FILE [options]

  --coordinator HEX    only those of this incarnation, 16 digits
  --job NAME           only those of this name
  --limit N            at most so many of each node, 1 to 4096 (default 1000)
${lookingUsage}`,
  async run(argv, terminal) {
    const args = read(argv, { ...lookingOptions, coordinator: 'text', job: 'text', limit: 'text' });
    const question = {
      coordinator: args.text('coordinator'),
      job: args.text('job'),
      limit: args.whole('limit', 1, mostListed),
    };
    return looking(args, 'observer', terminal, async (observer) => {
      const found = await observer.jobs(question);
      const more = Object.fromEntries(found.answers.map(({ node, value }) => [node, value.more]));
      if (args.is('json')) printJson(terminal, { jobs: jobsOf(found), more, failures: failuresOf(found.failures) });
      else terminal.out(`${jobLines(found, Infinity).join('\n')}\n`);
      return complain(terminal, found.failures) ? 1 : 0;
    });
  },
};
