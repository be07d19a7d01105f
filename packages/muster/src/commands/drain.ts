import type { NodeAnswer, Operator } from '@muster/coordinator';
import type { OperationAnswers } from '@muster/rexi';
import { defaults, systemClock } from '@muster/rexi';
import { bad, read } from './arguments.ts';
import type { Command, Terminal } from './command.ts';
import { complain, failuresOf, looking, lookingOptions, lookingUsage, printJson } from './looking.ts';
import { duration, many } from './table.ts';

export const drain: Command = {
  says: 'lets what runs at nodes end, and then ends the nodes, as SIGTERM does',
  usage: `muster drain: nodes take nothing new, let what runs end, and then end themselves, as on SIGTERM.

  muster drain NODE... --nodes A,B --secret FILE [options]
  muster drain --all --nodes A,B --secret FILE [options]

  NODE                 a node's name or address, among those of --nodes
  --all                all nodes of --nodes
  --time MS            milliseconds that running jobs have (default: the node's, 30000)
  --no-wait            come back when the nodes drain, and not when they have ended
${lookingUsage}`,
  async run(argv, terminal) {
    const args = read(argv, { ...lookingOptions, all: 'switch', time: 'text', 'no-wait': 'switch' }, 'words');
    if (args.is('all') === args.words.length > 0) {
      throw bad('muster drain takes the names of nodes, or --all: one of the two; --help tells more.');
    }
    const ms = args.whole('time', 0, 2 ** 31 - 1);
    const only = args.is('all') ? {} : { only: args.words };
    return looking(args, 'operator', terminal, async (operator) => {
      const { answers, failures } = await operator.drain({ ...only, ...(ms !== undefined && { ms }) });
      const say = (line: string): void => void (args.is('json') || terminal.out(`${line}\n`));
      const waits = !args.is('no-wait');
      const ended = await Promise.all(answers.map((answer) => follow(operator, answer, { say, waits, terminal })));
      if (args.is('json')) {
        const nodes = answers.map(({ node, address, value }, i) => ({ node, address, ...value, ended: ended[i] }));
        printJson(terminal, { nodes, failures: failuresOf(failures) });
      }
      return complain(terminal, failures) || (waits && ended.includes(false)) ? 1 : 0;
    });
  },
};

/** Beyond the time of its jobs a node may take so long to send what they said last, and to end its processes. */
const slack = defaults.write + 5_000;

/** Says what becomes of a node; whether it has ended. */
async function follow(
  operator: Operator,
  { node, value: { jobs, ms } }: NodeAnswer<OperationAnswers['drain']>,
  { say, waits, terminal }: { say: (line: string) => void; waits: boolean; terminal: Terminal },
): Promise<boolean> {
  say(`${node} drains: ${jobs === 0 ? 'it has no job' : `${many(jobs, 'job')} may go on for ${duration(ms)}`}.`);
  if (!waits) return false;
  const late = new Promise<'late'>((resolve) =>
    systemClock.after(Math.min(ms + slack, 2 ** 31 - 1), () => resolve('late')),
  );
  const came = await Promise.race([operator.whenGone(node), late]);
  if (terminal.end.aborted) say(`${node} drains on.`);
  else if (came === 'late') terminal.err(`muster: ${node} should have ended by now, and has not.\n`);
  else say(`${node} has ended.`);
  return came !== 'late' && !terminal.end.aborted;
}
