import type { Cluster } from '@muster/coordinator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import { deathsAfter, lastBeat, quiet, runners, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import type { Proxy } from './harness/proxy.ts';
import { failureOf, throughout, until } from './harness/wait.ts';
import type { Wire } from './harness/wire.ts';
import type { Worker } from './harness/worker.ts';

const lab = new Lab();
let proxy: Proxy;
let node: Worker;

beforeAll(async () => {
  proxy = await lab.proxy();
  node = await lab.node('a', { proxy });
});
afterEach(() => quiet(lab));
afterAll(() => lab.close());

/** The connection of the coordinator that came last. */
function wire(): Wire {
  return proxy.of('coordinator').at(-1) as Wire;
}

describe('A kill that passes its cast', () => {
  it('over the guardian while the cast is held: the job never starts', async () => {
    const coordinator = lab.coordinator();
    const incarnation = await coordinator.connect({ ...lab.options([proxy.address]) });
    const beat = lab.beat();
    const held = wire();
    const { length: before } = proxy.of('guardian');
    expect(before).toBe(1);
    held.hold('up');
    await coordinator.begin('late', 'call', 'mark', { beat });
    const waiting = held.heldBytes('up');
    await until('the cast is on its way', () => held.heldBytes('up') > waiting + 60);
    coordinator.signal('SIGKILL');
    await until('the node has heard the fence', () =>
      node.lines('fence').some((line) => line['incarnation'] === incarnation),
    );
    held.release();
    await throughout(
      'nothing starts',
      500,
      () => !node.lines('start').some(({ ref }) => String(ref).startsWith(incarnation)),
    );
    expect(lastBeat(beat)).toBe(0);
  });
});

describe('A link that is silent in one direction, and every link after it', () => {
  it.each(['up', 'down'] as const)(
    '%s: the node is suspect, then its stream is down within the bound, and its job dead',
    async (direction) => {
      const constants = { lease: 1_500, heartbeat: 300 };
      const own = await lab.proxy();
      const b = await lab.node(`b-${direction}`, { proxy: own, set: constants });
      const cluster = await lab.cluster([own.address], { constants });
      const states: string[] = [];
      cluster.on('node', ({ state }) => states.push(state));
      const beat = lab.beat();
      const stream = cluster.stream('tick', { beat });
      await stream.next();
      const since = now();
      for (const each of own.wires) each.blackHole(direction);
      own.greet = (each) => each.blackHole(direction);
      const ended = failureOf(stream.toArray());
      const bound = 1.1 * constants.lease + 500 + 2 * constants.heartbeat;
      const deaths = await deathsAfter(since, bound, { workers: [b], incarnation: cluster.incarnation, beat });
      const { code } = await ended;
      tell(`silent ${direction}`, { ...deaths, code, down: Math.round(now() - since) });
      expect(['down', 'lease_lost']).toContain(code);
      if (direction === 'down') expect(states).toContain('suspect');
      expect(now() - since).toBeLessThan(bound + 500);
      own.greet = () => undefined;
      await cluster.close();
      own.cut();
    },
  );
});

describe('On a link of 10 Mbit/s, control passes data: a kill arrives within 1 s and the node is never suspect', () => {
  const rate = 1_250_000;

  /** A cluster whose node runs a busy job, behind a link that is slow from then on. */
  async function spinning(): Promise<{ cluster: Cluster; states: string[]; kill: () => Promise<number> }> {
    const cluster = await lab.cluster([proxy.address]);
    const states: string[] = [];
    const abort = new AbortController();
    const spun = failureOf(cluster.call('spin', { beat: lab.beat() }, { signal: abort.signal }));
    const alive = (): number => runners([node], cluster.incarnation).filter((pid) => pid === spinner).length;
    const line = await until('it spins', () => startOf('spin', cluster.incarnation));
    const spinner = Number(line['pid']);
    wire().limit(rate);
    cluster.on('node', ({ state }) => states.push(state));
    const kill = async (): Promise<number> => {
      const since = now();
      abort.abort();
      await until('the busy job is dead', () => alive() === 0, 5_000);
      const ms = now() - since;
      expect((await spun).code).toBe('cancelled');
      return ms;
    };
    return { cluster, states, kill };
  }

  function startOf(job: string, incarnation: string): Worker['history'][number] | undefined {
    return node.lines('start').find((line) => line['job'] === job && String(line['ref']).startsWith(incarnation));
  }

  it('behind 64 MiB of rows', async () => {
    const { cluster, states, kill } = await spinning();
    const streams = Array.from({ length: 64 }, () => cluster.stream('count', { n: 1_000, size: 16_384 }));
    const read = streams.map((stream) => stream.toArray().catch(() => 0));
    const slow = wire();
    const passed = slow.passed('down');
    await throughout('the link is slow', 3_000, () => slow.passed('down') - passed < 4 * rate);
    expect(slow.passed('down') - passed).toBeGreaterThan(rate);
    const ms = await kill();
    tell('kill behind 64 MiB of rows', { ms: Math.round(ms), states: states.join(' ') || 'up' });
    expect(ms).toBeLessThan(1_000);
    expect(states).toEqual([]);
    await cluster.close();
    slow.cut();
    await Promise.all(read);
  });

  it('behind 64 MiB of casts, which never start', async () => {
    const { cluster, states, kill } = await spinning();
    const bytes = new Uint8Array(11 << 20);
    const casts = Array.from({ length: 6 }, () => failureOf(cluster.call('size', { bytes })));
    const slow = wire();
    const passed = slow.passed('up');
    await throughout('the link is slow', 3_000, () => slow.passed('up') - passed < 4 * rate);
    expect(slow.passed('up') - passed).toBeGreaterThan(rate);
    const ms = await kill();
    tell('kill behind 64 MiB of casts', { ms: Math.round(ms), states: states.join(' ') || 'up' });
    expect(ms).toBeLessThan(1_000);
    expect(states).toEqual([]);
    expect(startOf('size', cluster.incarnation)).toBeUndefined();
    await cluster.close();
    slow.cut();
    expect((await Promise.all(casts)).map(({ code }) => code)).toEqual(Array(6).fill('closed'));
  });
});
