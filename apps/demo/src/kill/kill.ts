import type { Scene } from '../queries/scene.ts';
import { aside, many, say, show, title } from '../screen/screen.ts';
import type { Column } from '../screen/table.ts';
import { table } from '../screen/table.ts';
import { count, time } from '../screen/words.ts';
import type { Stage } from '../stage/stage.ts';
import type { NodeResult, Round, RoundResult } from './round.ts';
import { playRound } from './round.ts';
import { timeline } from './timeline.ts';

const rounds: readonly Round[] = [
  { title: 'The coordinator is killed', kills: 'coordinator', held: false },
  {
    title: 'The coordinator and its guardian are killed in the same moment',
    kills: 'coordinator and guardian',
    held: false,
  },
  {
    title: 'Both are killed while a proxy holds their links open: only leases are left',
    kills: 'coordinator and guardian',
    held: true,
  },
];

/** What ended a session, in the words of the nodes' histories and in ours. */
const enders: Readonly<Record<string, string>> = {
  fence: 'guardian',
  guardian: 'guardian',
  'closed links': 'closed links',
  lease: 'lease',
};

const barWidth = 24;

/** Kills a coordinator with endless jobs in three ways, and shows how long each went on. */
export async function kill(stage: Stage, scene: Scene): Promise<void> {
  title('5  The kill: 64 endless jobs, half of them busy loops, and nobody who wants them');
  for (const [i, round] of rounds.entries()) {
    say(`${'abc'[i]}  ${round.title} …`);
    draw(await playRound(stage, scene, round));
  }
  aside('A bar begins at the kill; its height is how many jobs still ran. "none after" is');
  aside('when the kernel, asked every 4 ms, had no process of theirs any more, a sign what');
  aside('a job itself writes into its file, and who ended them from the history of the node.');
}

function draw({ nodes, startup, rows, guardianLeft }: RoundResult): void {
  const longest = Math.max(...nodes.map(({ goneAfter }) => goneAfter ?? 0));
  const span = longest * 1.1;
  const ran = sum(nodes, ({ loops, streams }) => loops + streams);
  const lastSign = Math.max(0, ...nodes.map(({ lastBeat }) => lastBeat));
  const told = nodes.map(({ endedAfter }) => Math.max(0, endedAfter));
  show(table(columns(span), nodes));
  say(`${count(ran)} ran, ${time(startup)} after their coordinator was started; it had read ${many(rows, 'row')}.`);
  say(`${time(longest)} after the kill none did; the last sign of one came after ${time(lastSign)}.`);
  say(
    `The nodes say that they ended ${count(sum(nodes, ({ killed }) => killed))}, after ${time(Math.min(...told))} to ${time(Math.max(...told))}.`,
  );
  if (guardianLeft) say('The guardian has left as well.');
  say('');
}

function sum(nodes: readonly NodeResult[], of: (node: NodeResult) => number): number {
  return nodes.reduce((total, node) => total + of(node), 0);
}

function columns(span: number): Column<NodeResult>[] {
  return [
    { head: 'node', of: ({ node }) => node },
    {
      head: `0 to ${time(span)}`,
      of: ({ samples, loops, streams }) => timeline(samples, loops + streams, span, barWidth),
    },
    { head: 'loops', of: ({ loops }) => count(loops), align: 'right' },
    { head: 'streams', of: ({ streams }) => count(streams), align: 'right' },
    { head: 'ended by', of: ({ by }) => enders[by] ?? by },
    { head: 'none after', of: ({ goneAfter = 0 }) => time(goneAfter), align: 'right' },
  ];
}
