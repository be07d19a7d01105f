import type { Answers, Operator } from '@muster/coordinator';
import type { NodeFacts, OperationAnswers } from '@muster/rexi';
import { read } from './arguments.ts';
import type { Command, Terminal } from './command.ts';
import { failuresOf, looking, lookingOptions, lookingUsage } from './looking.ts';
import { printable } from './table.ts';
import { jobLines, jobsOf, nodeLines } from './views.ts';

export const watch: Command = {
  says: 'nodes and jobs as they change, until Ctrl-C',
  usage: `muster watch: nodes, and the jobs that run longest, drawn again and again until Ctrl-C. A node that cannot be reached
is dialled again each time.

  muster watch --nodes A,B --secret FILE [options]

  --every MS           milliseconds between two looks, at least 100 (default 1000)
  --limit N            at most so many jobs, 1 to 1000 (default 20)
${lookingUsage.replace('one JSON document', 'one JSON document a line, for each look')}`,
  async run(argv, terminal) {
    const args = read(argv, { ...lookingOptions, every: 'text', limit: 'text' });
    const every = args.whole('every', 100, 2 ** 31 - 1) ?? 1_000;
    const limit = args.whole('limit', 1, 1_000) ?? 20;
    const show = args.is('json') ? lineOf : draw;
    return looking(args, 'observer', terminal, async (observer) => {
      while (!terminal.end.aborted) {
        const seen = await look(observer, limit);
        if (!terminal.end.aborted) show(terminal, seen, limit);
        await terminal.pause(every);
      }
      return 0;
    });
  },
};

interface Seen {
  readonly nodes: Answers<NodeFacts>;
  readonly jobs: Answers<OperationAnswers['node-jobs']>;
}

async function look(observer: Operator, limit: number): Promise<Seen> {
  const [nodes, jobs] = await Promise.all([observer.nodes(), observer.jobs({ limit })]);
  return { nodes, jobs };
}

function lineOf(terminal: Terminal, { nodes, jobs }: Seen, limit: number): void {
  const all = jobsOf(jobs);
  const line = {
    nodes: nodes.answers.map(({ address, value }) => ({ address, ...value })),
    jobs: all.slice(0, limit),
    failures: failuresOf(nodes.failures),
  };
  terminal.out(`${JSON.stringify(line)}\n`);
}

/** From the top of the screen; what was below is cleared. */
const [home, rest, wholeLine] = ['\u001b[H', '\u001b[J', '\u001b[K'];

function draw(terminal: Terminal, { nodes, jobs }: Seen, limit: number): void {
  const troubles = nodes.failures.map(({ error }) => printable(error.text));
  const lines = [...nodeLines(nodes), ...troubles, '', ...jobLines(jobs, limit)];
  if (terminal.isScreen) terminal.out(`${home}${lines.map((line) => `${line}${wholeLine}\n`).join('')}${rest}`);
  else terminal.out(`${lines.join('\n')}\n\n`);
}
