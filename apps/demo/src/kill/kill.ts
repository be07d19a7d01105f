import type { Scene } from '../queries/scene.ts';
import { aside, say, show, title } from '../screen/screen.ts';
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
    title: 'Both are killed, and a proxy holds their links open: only the leases are left',
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

const barWidth = 32;

/** Kills a coordinator with endless jobs in three ways, and shows how long each went on. */
export async function kill(stage: Stage, scene: Scene): Promise<void> {
  title('5  The kill: 64 endless jobs, half of them busy loops, and nobody left who wants them');
  for (const [i, round] of rounds.entries()) {
    say(`${'abc'[i]}  ${round.title} …`);
    draw(await playRound(stage, scene, round));
  }
  aside(
    'The bar begins at the kill; its height is how many jobs still ran. "none after": the kernel, asked every 4 ms, has',
  );
  aside(
    'no process of theirs any more. "last sign": when a job itself last wrote into its file. "told", "ended by", "killed":',
  );
  aside('when the node ended their session, for what reason, and how many jobs went with it, from its own history.');
}

function draw({ nodes, startup, rows, guardianLeft }: RoundResult): void {
  const longest = Math.max(...nodes.map(({ goneAfter }) => goneAfter ?? 0));
  const span = longest * 1.1;
  const ran = nodes.reduce((sum, { loops, streams }) => sum + loops + streams, 0);
  const left = guardianLeft ? ' The guardian has left as well.' : '';
  show(table(columns(span), nodes));
  say(
    `${count(ran)} ran, all of them ${time(startup)} after their coordinator was started; it had read ${count(rows)} rows.`,
  );
  say(`${time(longest)} after the kill none did.${left}\n`);
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
    { head: 'told', of: ({ endedAfter }) => time(Math.max(0, endedAfter)), align: 'right' },
    { head: 'killed', of: ({ killed }) => count(killed), align: 'right' },
    { head: 'last sign', of: ({ lastBeat }) => time(Math.max(0, lastBeat)), align: 'right' },
    { head: 'none after', of: ({ goneAfter = 0 }) => time(goneAfter), align: 'right' },
  ];
}
