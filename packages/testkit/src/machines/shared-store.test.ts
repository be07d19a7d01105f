import { seededEntropy } from '@muster/rexi/testing';
import { expect, it } from 'vitest';
import { EventLoop } from '../simulation/event-loop.ts';
import { Machine } from '../simulation/machine.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SharedStore } from './shared-store.ts';

function open(): { shared: SharedStore; store: ReturnType<SharedStore['open']>; loop: EventLoop } {
  const loop = new EventLoop((error) => {
    throw error;
  });
  const { clock } = new SimProcess(loop, new Machine('c1', 1, 0), 'c1/p');
  const shared = new SharedStore(seededEntropy(1));
  return { shared, store: shared.open(clock), loop };
}

it('a store that is well gives what was put, to later lives as well', async () => {
  const { shared, store, loop } = open();
  const { key } = await store.put({ a: 1 });
  await store.close();
  const later = shared.open(new SimProcess(loop, new Machine('c1', 1, 0), 'c1/q').clock);
  expect(await later.get(key)).toEqual({ a: 1 });
});

it('one that ails refuses, is felt to, and is well again afterwards', async () => {
  const { shared, store } = open();
  const felt: string[] = [];
  const heal = shared.health.ail('full', () => felt.push('full'));
  await expect(store.put('x')).rejects.toMatchObject({ code: 'full' });
  heal();
  const { key } = await store.put('x');
  shared.health.ail('failing', () => felt.push('failing'));
  await expect(store.exists(key)).rejects.toMatchObject({ code: 'lost' });
  expect(felt).toEqual(['full', 'failing']);
});

it('one that is slow answers nobody who waits for less', async () => {
  const { shared, store, loop } = open();
  const { key } = await store.put('x');
  await store.drop(key);
  shared.health.ail('slow', () => undefined);
  const answer = store.get(key, { timeout: 500 }).catch((error: unknown) => error);
  await loop.run(600e6);
  expect(await answer).toMatchObject({ code: 'timeout' });
});

it('one that has lost everything says so once', async () => {
  const { shared, store } = open();
  const { key } = await store.put('x'.repeat(10));
  expect([shared.health.lose(), shared.health.lose()]).toEqual([true, false]);
  await expect(store.exists(key)).resolves.toBe(false);
});
