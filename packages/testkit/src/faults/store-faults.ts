import type { Ailment } from '../machines/store-health.ts';
import type { World } from '../simulation/world.ts';
import type { FaultOf } from './fault.ts';
import type { Toll } from './toll.ts';

type Ailing = 'store-failing' | 'store-full' | 'store-slow';
const ailments: Readonly<Record<Ailing, Ailment>> = {
  'store-failing': 'failing',
  'store-full': 'full',
  'store-slow': 'slow',
};

/** The stores ail for a while. It counts when somebody has felt it. */
export function hurtStores(world: World, toll: Toll, fault: FaultOf<Ailing>): void {
  let isFelt = false;
  const felt = (): void => {
    if (!isFelt) toll.count(fault.kind);
    isFelt = true;
  };
  const healths = [world.node(fault.node).health, world.store.health];
  const well = healths.map((health) => health.ail(ailments[fault.kind], felt));
  const number = toll.arm(fault, hitsOf(fault), fault.ms);
  const end = toll.until(() => {
    for (const heal of well) heal();
    toll.note('over', { number });
  });
  world.after(fault.ms, end);
}

/** What the stores keep is gone. */
export function loseStores(world: World, toll: Toll, fault: FaultOf<'store-lost'>): void {
  const { isUp, health } = world.node(fault.node);
  const lost = [isUp && health.lose(), world.store.health.lose()];
  if (lost.some(Boolean)) toll.begin(fault, hitsOf(fault), 0);
}

/** `s w1` is the store of a node's objects, `s` the shared one. */
function hitsOf({ node }: { readonly node: string }): string[] {
  return [`s ${node}`, 's'];
}
