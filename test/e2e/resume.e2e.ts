import type { Cluster } from '@muster/coordinator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import { lastBeat, quiet, runners, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import type { Proxy } from './harness/proxy.ts';
import { failureOf, until } from './harness/wait.ts';
import type { Direction, Wire } from './harness/wire.ts';
import type { Worker } from './harness/worker.ts';

const lab = new Lab();
let proxy: Proxy;
let node: Worker;

beforeAll(async () => {
  proxy = await lab.proxy();
  node = await lab.node('a', { proxy });
});
afterEach(async () => {
  proxy.greet = () => undefined;
  await quiet(lab);
});
afterAll(() => lab.close());

/** The connection of the coordinator that came last. */
function wire(): Wire {
  return proxy.of('coordinator').at(-1) as Wire;
}

/** Reads a stream of so many rows to its end, each in its place, and calls `at` with each number. */
async function readAll(cluster: Cluster, n: number, at: (i: number) => void, size = 100): Promise<void> {
  let next = 0;
  for await (const { i } of cluster.stream<{ i: number }>('count', { n, size })) {
    expect(i).toBe(next);
    next += 1;
    at(i);
  }
  expect(next).toBe(n);
}

/** Whole numbers that look random and are the same in every run. */
function* numbers(most: number): Generator<number, never> {
  for (let state = 1; ;) {
    state = (state * 48_271) % 2_147_483_647;
    yield state % most;
  }
}

/** The sessions that this coordinator's node has opened, and how often one of them went on over another link. */
function sessionsOf(cluster: Cluster): { opened: number; resumed: number } {
  const own = (event: string): number =>
    node.lines(event).filter((line) => line['incarnation'] === cluster.incarnation).length;
  return { opened: own('session-opened'), resumed: own('session-resumed') };
}

describe('A link that is reset in mid-frame', () => {
  const cuts: readonly (readonly [Direction, number])[] = [
    ['down', 1],
    ['down', 9],
    ['down', 1_000],
    ['down', 70_001],
    ['down', 400_003],
    ['up', 5],
    ['up', 33],
  ];

  it.each(cuts)('%s after %i bytes is replaced: the stream is whole, and the session the same', async (way, bytes) => {
    const cluster = await lab.cluster([proxy.address]);
    await readAll(cluster, 60_000, (i) => i === 1_000 && wire().cutAfter(way, bytes));
    expect(sessionsOf(cluster)).toEqual({ opened: 1, resumed: 1 });
    await cluster.close();
  });

  it('again and again at any byte of either direction, under calls and streams, loses and doubles nothing', async () => {
    const cluster = await lab.cluster([proxy.address]);
    const random = numbers(300_000);
    let cuts = 0;
    proxy.greet = (each) => {
      if (cuts >= 40) return;
      cuts += 1;
      each.cutAfter(
        cuts % 3 === 0 ? 'up' : 'down',
        cuts % 3 === 0 ? 1_500 + (random.next().value % 2_000) : 2_000 + random.next().value,
      );
    };
    wire().cutAfter('down', random.next().value);
    const reads = Array.from({ length: 3 }, () => readAll(cluster, 60_000, () => undefined));
    let sum = 0;
    for (let a = 0; a < 500; a += 1) sum += Number(await cluster.call('add', { a, b: 1 }));
    await Promise.all(reads);
    expect(sum).toBe((499 * 500) / 2 + 500);
    const { opened, resumed } = sessionsOf(cluster);
    tell('resets at random bytes', { cuts, resumed });
    expect(opened).toBe(1);
    expect(resumed).toBeGreaterThan(10);
    await cluster.close();
  });

  it('together with the link of the guardian ends nothing', async () => {
    const cluster = await lab.cluster([proxy.address]);
    await readAll(cluster, 60_000, (i) => i % 20_000 === 500 && proxy.cut());
    expect(sessionsOf(cluster).opened).toBe(1);
    await cluster.close();
  });
});

describe('A link that is half-open', () => {
  it.each(['up', 'down'] as const)('%s is found by silence and replaced', async (way) => {
    const own = await lab.proxy();
    const b = await lab.node(`b-${way}`, { proxy: own, set: { heartbeat: 300 } });
    const cluster = await lab.cluster([own.address], { constants: { heartbeat: 300 } });
    const states: string[] = [];
    cluster.on('node', ({ state }) => states.push(state));
    let longest = 0;
    let last = now();
    let next = 0;
    for await (const { i } of cluster.stream<{ i: number }>('count', { n: 60_000, size: 100 })) {
      expect(i).toBe(next);
      next += 1;
      if (i === 1_000) (own.of('coordinator').at(-1) as Wire).blackHole(way);
      longest = Math.max(longest, now() - last);
      last = now();
    }
    expect(next).toBe(60_000);
    expect(states).toEqual(['suspect', 'up']);
    tell(`half-open ${way}`, { gap: Math.round(longest) });
    expect(longest).toBeLessThan(5_000);
    expect(b.lines('session-opened')).toHaveLength(1);
    await cluster.close();
    own.cut();
  });
});

describe('What falls into the gap', () => {
  it('holds: a kill arrives before what was under way, and the node that is left has nothing of it', async () => {
    const cluster = await lab.cluster([proxy.address]);
    const abort = new AbortController();
    const beat = lab.beat();
    const spun = failureOf(cluster.call('spin', { beat }, { signal: abort.signal }));
    await until('it spins', () => runners([node], cluster.incarnation).length > 0);
    let away = true;
    proxy.greet = (each) => void (away && each.cut());
    wire().cut();
    await until('its node is suspect', () => cluster.nodes()[0]?.state === 'suspect');
    abort.abort('not wanted');
    expect((await spun).code).toBe('cancelled');
    const since = now();
    away = false;
    await until('the job is dead', () => runners([node], cluster.incarnation).length === 0, 5_000);
    const last = lastBeat(beat);
    tell('kill in the gap', { ms: Math.round(last - since) });
    expect(await cluster.call('add', { a: 1, b: 2 })).toBe(3);
    expect(sessionsOf(cluster).opened).toBe(1);
    await cluster.close();
  });

  it('may be the end of the lease: then there is a new session at once, under the same incarnation', async () => {
    const own = await lab.proxy();
    const constants = { lease: 1_000, heartbeat: 200 };
    const b = await lab.node('c', { proxy: own, set: constants });
    const cluster = await lab.cluster([own.address], { constants });
    const { incarnation } = cluster;
    const ended = failureOf(cluster.stream('tick', { beat: lab.beat() }).toArray());
    await until('it runs', () => runners([b], incarnation).length > 0);
    let away = true;
    own.greet = (each) => void (away && each.cut());
    own.cut();
    expect((await ended).code).toBe('down');
    await until('its node has ended the session', () => b.lines('session-ended').length > 0);
    away = false;
    const since = now();
    expect(await cluster.call('add', { a: 1, b: 2 })).toBe(3);
    tell('the next call after a lease', { ms: Math.round(now() - since) });
    expect(now() - since).toBeLessThan(3_000);
    expect(cluster.incarnation).toBe(incarnation);
    await cluster.close();
    own.cut();
  });
});
