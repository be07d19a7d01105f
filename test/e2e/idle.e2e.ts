import { afterAll, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import { tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { childrenOf, processOf } from './harness/machine.ts';
import { throughout, until } from './harness/wait.ts';

const lab = new Lab();
afterAll(() => lab.close());

it('A node costs next to nothing while it is idle', async () => {
  const { pid, ending } = await lab.node('a');
  const family = await until('two executors and a reaper are there', () => {
    const children = childrenOf(pid);
    return children.length === 3 && [pid, ...children.map((child) => child.pid)];
  });
  const ticks = (): number => family.reduce((sum, each) => sum + (processOf(each)?.ticks ?? 0), 0);
  let [last, since] = [ticks(), now()];
  const calm = (): boolean => {
    if (ticks() > last) [last, since] = [ticks(), now()];
    return now() - since > 300;
  };
  await until('they have started', calm);
  const before = ticks();
  const seconds = 4;
  await throughout('it is idle', seconds * 1_000, () => ending === undefined);
  const percent = (ticks() - before) / seconds;
  tell('idle node', { 'percent of a core': percent.toFixed(2) });
  // A tick is 10 ms, and a busy machine charges its interrupts to whom they hit: the benchmarks hold it to 1 %.
  expect(percent).toBeLessThan(4);
});
