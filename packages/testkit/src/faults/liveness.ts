import type { SimNode } from '../machines/sim-node.ts';
import type { World } from '../simulation/world.ts';
import type { Injector } from './injector.ts';
import { brokenForGood } from './injector.ts';

/** Requests that must succeed, one after the other, and how long each may take. */
const canaries = 50;
const canaryPatience = 1_000;

/** Heals a core of the cluster, breaks the rest for good, and two leases later asks the core fifty times running. */
export async function demandLife(world: World, injector: Injector): Promise<void> {
  const random = world.random.fork('core');
  const some = random.shuffled(world.nodes);
  const core = some.slice(0, 1 + random.int(some.length));
  world.quieten(); // Whoever waits for a slot behind others is no sign of anything.
  injector.calm();
  for (const { id } of some.slice(core.length)) injector.breakForGood(id, random.pick(brokenForGood));
  world.history.observer('world')('core', { nodes: core.map(({ id }) => id) });
  // A coordinator that was fenced begins anew with its next request.
  await ask(world, core[0] as SimNode, 10_000);
  await world.pass(2 * world.constants.lease);
  const note = world.history.observer('world');
  for (let i = 0; i < canaries; i += 1) {
    const node = core[i % core.length] as SimNode;
    note('canary', { node: node.id, how: await ask(world, node, canaryPatience) });
  }
}

/** How a small call at the node ends within so many milliseconds. */
async function ask(world: World, { id }: SimNode, timeout: number): Promise<string> {
  const { coordinator } = world;
  if (coordinator === undefined) return 'no coordinator';
  let how = `no answer within ${timeout} ms`;
  const call = coordinator.cluster.call('answer', undefined, { node: id, timeout, priority: 255 }).then(
    () => void (how = 'complete'),
    (error: unknown) => void (how = String(error)),
  );
  await world.settled(call, timeout + 1);
  return how;
}
