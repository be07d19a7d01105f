import type { KillOutcome } from '@muster/coordinator';
import type { KillOrder } from '@muster/rexi';
import { mostListed, parseRef } from '@muster/rexi';
import type { Arguments } from './arguments.ts';
import { bad, read, wrong } from './arguments.ts';
import type { Command, Terminal } from './command.ts';
import { complain, failuresOf, looking, lookingOptions, lookingUsage, printJson } from './looking.ts';
import { many } from './table.ts';

export const kill: Command = {
  says: 'kills jobs by their references, or all of a coordinator',
  usage: `muster kill: kills jobs, wherever they run. Their coordinators are told who it was, and why.

  muster kill REF... --nodes A,B --secret FILE [options]
  muster kill --coordinator HEX --nodes A,B --secret FILE [options]

  REF                  a reference, as muster ps shows it
  --coordinator HEX    all jobs that nodes have of this incarnation now, 16 digits
  --why TEXT           what the coordinators are told of the reason
${lookingUsage}`,
  async run(argv, terminal) {
    const args = read(argv, { ...lookingOptions, coordinator: 'text', why: 'text' }, 'words');
    const order = orderOf(args);
    return looking(args, 'operator', terminal, async (operator) => {
      const outcome = await operator.kill(order);
      const { failures, ...rest } = outcome;
      if (args.is('json')) printJson(terminal, { ...rest, failures: failuresOf(failures) });
      else tell(terminal, order, outcome);
      const isLacking = complain(terminal, failures);
      return isLacking || outcome.killed === 0 || outcome.unknown.length + outcome.left.length > 0 ? 1 : 0;
    });
  },
};

function orderOf(args: Arguments): KillOrder {
  const why = args.text('why');
  const reason = why === undefined ? {} : { why };
  const coordinator = args.text('coordinator');
  const refs = args.words;
  if ((coordinator === undefined) === (refs.length === 0)) {
    throw bad('muster kill takes references, or --coordinator: one of the two; --help tells more.');
  }
  if (why !== undefined && why.length > 1_000) throw bad('--why has at most 1000 characters.');
  if (coordinator !== undefined) {
    if (!/^[0-9a-f]{16}$/.test(coordinator)) throw wrong('coordinator', coordinator, 'it takes 16 hexadecimal digits');
    return { coordinator, ...reason };
  }
  for (const ref of refs) parseRef(ref);
  if (refs.length > mostListed) throw bad(`muster kill takes at most ${mostListed} references at a time.`);
  return { refs, ...reason };
}

function tell(terminal: Terminal, order: KillOrder, { killed, unknown, left }: KillOutcome): void {
  if (killed > 0) terminal.out(`${many(killed, 'job')} killed; nothing of ${killed === 1 ? 'it' : 'them'} is left.\n`);
  for (const ref of unknown) terminal.err(`muster: No node that has answered has the job ${ref}.\n`);
  for (const ref of left) terminal.err(`muster: The job ${ref} was told to end and has not yet; ask again.\n`);
  if ('coordinator' in order && killed + left.length === 0) {
    terminal.err(`muster: No node that has answered has a job of ${order.coordinator}.\n`);
  }
}
