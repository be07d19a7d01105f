import type { Cluster } from '@muster/coordinator';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { beating, deathsAfter, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { childrenOf, isAlive, isStopped } from './harness/machine.ts';
import { failureOf, throughout, until, within } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

/** An agent that dies together with the reaper that would have cleaned up behind it. */
const lab = new Lab();
afterAll(() => lab.close());

interface Scene {
  readonly node: Worker;
  readonly reaper: number;
  readonly cluster: Cluster;
  readonly beat: string;
}

/** A node with a job that spins, one that is blocked in native code, one that has forked, and a stream. */
async function busy(id: string): Promise<Scene> {
  const node = await lab.node(id);
  const cluster = await lab.cluster([node.address]);
  const beat = lab.beat();
  for (const job of ['spin', 'block', 'fork']) void failureOf(cluster.call(job, { beat }));
  void failureOf(cluster.stream('tick', { beat }).toArray());
  await beating(beat, 5);
  return { node, reaper: node.reaper ?? 0, cluster, beat };
}

async function deadWithin(ms: number, since: number, { node, cluster, beat }: Scene): Promise<void> {
  tell('node killed', await deathsAfter(since, ms, { workers: [node], incarnation: cluster.incarnation, beat }));
  await until('no executor is left, spares included', () => executorsOf(node).length === 0, 1_000);
  await cluster.close();
}

/** Executors of a node, whether or not their agent lives. */
function executorsOf(node: Worker): number[] {
  return node.marked.filter(isAlive);
}

function scratchOf({ dataDir }: Worker): string[] {
  return readdirSync(dataDir).filter((name) => name.startsWith('executors-'));
}

describe('A node whose agent and reaper are killed', () => {
  it('at once loses its spinning, blocked and forking jobs to their watchdogs within 1 s', async () => {
    const scene = await busy('a1');
    process.kill(scene.reaper, 'SIGKILL');
    await deadWithin(1_000, scene.node.signal('SIGKILL'), scene);
    const [left = ''] = scratchOf(scene.node);
    const again = await lab.node('a1');
    expect(scratchOf(again)).toHaveLength(1);
    expect(scratchOf(again)).not.toContain(left);
  });

  it('the agent while the reaper is stopped, loses them too; the next node on its directory ends that reaper', async () => {
    const scene = await busy('a2');
    process.kill(scene.reaper, 'SIGSTOP');
    onTestFinished(() => void (isAlive(scene.reaper) && process.kill(scene.reaper, 'SIGKILL')));
    await deadWithin(1_000, scene.node.signal('SIGKILL'), scene);
    expect(isAlive(scene.reaper)).toBe(true);
    await lab.node('a2');
    await until('the reaper is gone', () => !isAlive(scene.reaper), 1_000);
  });

  it('while its executors are stopped, leaves them to the next node on its directory, and to no other', async () => {
    const scene = await busy('a3');
    // Without what their jobs have started, which comes and goes until all of it is stopped.
    const children = childrenOf(scene.node.pid).filter(({ command }) => command.includes('executor/main.js'));
    const stopped = children.map(({ pid }) => pid);
    expect(stopped.length).toBeGreaterThan(3);
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    await until('their watchdogs are stopped as well', () => stopped.every(isStopped));
    process.kill(scene.reaper, 'SIGKILL');
    scene.node.signal('SIGKILL');
    await scene.node.ended;
    // One of the same name, elsewhere.
    const other = await lab.node('a3', { dataDir: join(lab.dir, 'elsewhere') });
    await throughout('they are there', 200, () => stopped.every(isAlive));
    const others = childrenOf(other.pid).map(({ pid }) => pid);
    const again = await lab.node('a3');
    expect(stopped.filter(isAlive)).toEqual([]);
    expect(others.length).toBeGreaterThan(0);
    expect(others.every(isAlive)).toBe(true);
    expect(scratchOf(again)).toHaveLength(1);
    await scene.cluster.close();
  });
});

describe('The data directory of a node that runs', () => {
  it('is refused to a second one with a sentence, and free again when it was killed', async () => {
    const first = await lab.node('b1');
    const second = lab.launch('b2', { dataDir: first.dataDir });
    const { code } = await within('the second one has ended', 10_000, second.ended);
    expect(second.errors.trim().split('\n')).toEqual([
      expect.stringMatching(`The data directory .* belongs to the node that runs as process ${first.pid}`),
    ]);
    expect([code, scratchOf(first).length]).toEqual([2, 1]);
    process.kill(first.reaper ?? 0, 'SIGKILL');
    first.signal('SIGKILL');
    await first.ended;
    await lab.node('b2', { dataDir: first.dataDir });
  });
});

describe('The pipe by which an executor learns that its agent is gone', () => {
  it('is held by the agent alone, at its end', async () => {
    const node = await lab.node('c1');
    const children = childrenOf(node.pid).map(({ pid }) => pid);
    expect(children.length).toBeGreaterThan(2);
    const sockets = children.map((pid) => socketsOf(pid));
    // Each has its own ends, and none is in two processes.
    expect(sockets.flat().length).toBe(new Set(sockets.flat()).size);
    const agents = new Set(socketsOf(node.pid));
    expect(sockets.flat().filter((socket) => agents.has(socket))).toEqual([]);
  });
});

function socketsOf(pid: number): string[] {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).flatMap((fd) => {
    try {
      const target = readlinkSync(join(dir, fd));
      return target.startsWith('socket:') && Number(fd) > 2 ? [target] : [];
    } catch {
      return [];
    }
  });
}
