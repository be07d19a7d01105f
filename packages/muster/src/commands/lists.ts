/** Commands that ask every node one thing and show what it says. */
import type { Answers, Operator } from '@muster/coordinator';
import { read } from './arguments.ts';
import type { Command } from './command.ts';
import { complain, failuresOf, looking, lookingOptions, lookingUsage, printJson } from './looking.ts';
import { configLines, errorLines, errorsOf, nodeLines, sessionLines } from './views.ts';

interface List<T> {
  readonly name: string;
  readonly says: string;
  readonly more?: string;
  readonly ask: (observer: Operator) => Promise<Answers<T>>;
  /** For people. */
  readonly lines: (found: Answers<T>) => string[];
  /** For scripts; the failures are put beside it. */
  readonly json: (found: Answers<T>) => object;
}

function list<T>({ name, says, more = '', ask, lines, json }: List<T>): Command {
  return {
    says,
    usage: `muster ${name}: ${says}.

  muster ${name} --nodes A,B --secret FILE [options]
${more}
${lookingUsage}`,
    run(argv, terminal) {
      const args = read(argv, lookingOptions);
      return looking(args, 'observer', terminal, async (observer) => {
        const found = await ask(observer);
        if (args.is('json')) printJson(terminal, { ...json(found), failures: failuresOf(found.failures) });
        else terminal.out(`${lines(found).join('\n')}\n`);
        return complain(terminal, found.failures) ? 1 : 0;
      });
    },
  };
}

export const nodes: Command = list({
  name: 'nodes',
  says: 'the nodes, and how much there is at them',
  ask: (observer) => observer.nodes(),
  lines: nodeLines,
  json: ({ answers }) => ({ nodes: answers.map(({ address, value }) => ({ address, ...value })) }),
});

export const sessions: Command = list({
  name: 'sessions',
  says: 'whose jobs the nodes may run, and for how long if nobody renews it',
  ask: (observer) => observer.sessions(),
  lines: sessionLines,
  json: ({ answers }) => ({
    sessions: answers.flatMap(({ node, value }) => value.sessions.map((session) => ({ node, ...session }))),
    more: Object.fromEntries(answers.map(({ node, value }) => [node, value.more])),
  }),
});

export const errors: Command = list({
  name: 'errors',
  says: 'the last 100 jobs of each node that have ended without a value, newest first',
  ask: (observer) => observer.errors(),
  lines: errorLines,
  json: (found) => ({ errors: errorsOf(found) }),
});

export const config: Command = list({
  name: 'config',
  says: 'what each node was started with, defaults included',
  ask: (observer) => observer.config(),
  lines: ({ answers }) => answers.flatMap(({ node, value }) => configLines(value, `${node}: `)),
  json: ({ answers }) => ({ nodes: Object.fromEntries(answers.map(({ node, value }) => [node, value])) }),
});
