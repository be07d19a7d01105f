import type { ExecutorEvents, Task } from '@muster/worker';
import { describe, expect, it } from 'vitest';
import { simJobs } from '../scenario/jobs.ts';
import { EventLoop } from '../simulation/event-loop.ts';
import { Machine } from '../simulation/machine.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SimExecutors } from './sim-executors.ts';

const none = new Uint8Array();
const task = (id: number): Task => ({ id, job: 'hang', ref: `c-${id}`, args: none, shard: none });

/** Events that only write down what they are. */
function listener(heard: string[]): ExecutorEvents {
  const get = (_: object, name: string) => (): unknown => heard.push(name);
  return new Proxy({}, { get }) as ExecutorEvents;
}

class Scene {
  readonly loop = new EventLoop((error) => {
    throw error;
  });
  readonly machine = new Machine('w1', 1, 0);
  readonly agent = new SimProcess(this.loop, this.machine, 'w1/agent');
  readonly over: string[] = [];
  readonly executors = new SimExecutors({
    clock: new SimProcess(this.loop, this.machine, 'w1/executors').clock,
    agent: this.agent,
    scripts: simJobs,
    witness: {
      begun: () => undefined,
      started: () => undefined,
      credited: () => undefined,
      rows: () => undefined,
      over: (ref, how) => this.over.push(`${ref} ${how}`),
    },
  });
}

describe('Executors of an agent that is a process of its own', () => {
  it('outlive it until they are reaped, and what they say then reaches nobody', async () => {
    const { executors, agent, loop, over } = new Scene();
    const heard: string[] = [];
    const executor = await executors.acquire('exclusive', 'c');
    executor.run(task(1), listener(heard));
    await loop.run(1e9);
    agent.kill();
    await loop.run(2e9);
    expect(over).toEqual([]);
    executors.reap();
    await loop.run(3e9);
    expect(over).toEqual(['c-1 exited']);
    expect(heard).not.toContain('exited');
  });

  it('are reaped though they were retired before what they had been given to ran', async () => {
    const { executors, loop, over } = new Scene();
    const executor = await executors.acquire('shared', 'c');
    executors.retire('c');
    executor.run(task(2), listener([]));
    executors.reap();
    await loop.run(1e9);
    expect(over).toEqual(['c-2 exited']);
  });

  it('tell a stopped agent nothing until it goes on', async () => {
    const { executors, agent, loop } = new Scene();
    const heard: string[] = [];
    const executor = await executors.acquire('exclusive', 'c');
    agent.stop();
    executor.run(task(3), listener(heard));
    await loop.run(1e9);
    expect(heard).toEqual([]);
    agent.continue();
    await loop.run(2e9);
    expect(heard).toEqual(['taken']);
  });
});
