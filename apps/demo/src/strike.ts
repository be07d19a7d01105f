import type { Cast } from './play.ts';
import { many, say, title } from './screen/screen.ts';
import { time } from './screen/words.ts';
import type { Belongings, LeftBehind } from './stage/left-behind.ts';
import { leftBehind } from './stage/left-behind.ts';
import type { ProcessName } from './stage/processes.ts';
import { areGone, descendantsOf } from './stage/processes.ts';
import type { Stage } from './stage/stage.ts';

/** Milliseconds that guardians have to tell every node and to go, before the nodes themselves are ended. */
const patience = 2_000;

/** Ends all that was started, and looks whether anything is left. @throws when there is. */
export async function strike(stage: Stage, cast: Cast, began: number): Promise<void> {
  title('Clean-up');
  const belongings = belongingsOf(stage);
  const { processes, ports } = belongings;
  for (const coordinator of stage.coordinators) coordinator.killCoordinator();
  await closeCluster(cast);
  await areGone(besideNodes(stage, processes), patience);
  await stage.strike();
  const left = await leftBehind(belongings);
  say(
    `${many(processes.length, 'process', 'processes')}, ${many(ports.length, 'port')} and one directory were in use;`,
  );
  say(`${sentenceOf(left)}.`);
  say(`${time(performance.now() - began)} in all.`);
  if (left.processes + left.ports + left.files > 0) throw new Error(`Something was left behind below ${stage.dir}.`);
}

/** Also one that is about to be connected. */
async function closeCluster({ cluster }: Cast): Promise<void> {
  try {
    await (await cluster)?.close();
  } catch {
    // It was never connected: what that failed with has been told already.
  }
}

function belongingsOf({ nodes, dir, coordinators }: Stage): Belongings {
  const authorities = nodes.flatMap(({ process, proxy }) => [process.address, proxy.authority]);
  const ports = authorities.flatMap((authority) => Number(/:(\d+)\/?$/.exec(authority)?.[1] ?? 0) || []);
  const guardians = coordinators.flatMap((coordinator) => coordinator.findGuardian() ?? []);
  return { processes: [...descendantsOf(process.pid), ...guardians], ports, dir };
}

/** Guardians, that is, and coordinators. */
function besideNodes({ nodes }: Stage, all: readonly ProcessName[]): ProcessName[] {
  const ofNodes = new Set(nodes.flatMap(({ process: { pid } }) => [pid, ...descendantsOf(pid).map((one) => one.pid)]));
  return all.filter(({ pid }) => !ofNodes.has(pid));
}

function sentenceOf({ processes, ports, files }: LeftBehind): string {
  if (processes + ports + files === 0) return 'none of it is left';
  return `left are ${many(processes, 'process', 'processes')}, ${many(ports, 'open port')}, ${many(files, 'directory', 'directories')}`;
}
