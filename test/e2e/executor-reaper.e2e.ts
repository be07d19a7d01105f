import { deepEqual } from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DataDir, eventually, isAlive, jobsFile, marked, sweep } from './executor-rig.ts';

interface Line {
  readonly running?: string;
  readonly exited?: string;
  readonly ready?: boolean;
  readonly full?: boolean;
  readonly warn?: string;
  readonly pid?: number;
}

let agents = 0;

/** An agent in a process of its own, with jobs that only a reaper can end. */
class Agent implements Disposable {
  readonly node: string = `a${process.pid}-${(agents += 1)}`;
  readonly lines: Line[] = [];
  readonly data: DataDir = new DataDir();
  readonly child: ChildProcess;

  constructor(lease: number, jobs: readonly string[]) {
    this.child = fork(jobsFile('agent.mjs'), [this.node, this.data.path, String(lease), ...jobs], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.lines.push(JSON.parse(line) as Line));
  }

  get running(): string[] {
    return this.lines.flatMap(({ running }) => running ?? []);
  }

  warned(text: string): boolean {
    return this.lines.some(({ warn }) => warn?.includes(text) === true);
  }

  get exited(): string[] {
    return this.lines.flatMap(({ exited }) => exited ?? []);
  }

  /** The child of the agent that is no executor. */
  get reaper(): number | undefined {
    const children = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'latin1')
      .split(' ')
      .filter(Boolean);
    return children
      .map(Number)
      .find((pid) => isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('reaper/main.js'));
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.child.pid as number, name);
  }

  /** Nothing is left of it: no executor, no grandchild, no reaper, no file. */
  async gone(reaper: number): Promise<void> {
    await eventually('all executors and what they have started are gone', () => marked(this.node).length === 0);
    await eventually('its reaper is gone', () => !isAlive(reaper));
    deepEqual(this.data.entries, []);
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
    // After a test that has failed; one that has not has nothing left.
    sweep(this.node, this.data.path);
    this.data[Symbol.dispose]();
  }
}

const stubborn = ['spin', 'block', 'daemon'];

async function started(lease: number, jobs: readonly string[]): Promise<{ agent: Agent; reaper: number }> {
  const agent = new Agent(lease, jobs);
  try {
    await eventually('all jobs run', () => agent.running.length === jobs.length);
    await eventually('it has a reaper', () => agent.reaper !== undefined);
  } catch (error) {
    agent[Symbol.dispose]();
    throw error;
  }
  return { agent, reaper: agent.reaper as number };
}

describe('a reaper', () => {
  it('ends executors and all they have started when their agent is killed', async () => {
    const { agent, reaper } = await started(5_000, stubborn);
    using _ = agent;
    agent.signal('SIGKILL');
    await agent.gone(reaper);
  });

  it('ends them when the agent was stopped for longer than the lease; the agent then goes on with new ones', async () => {
    const { agent, reaper } = await started(400, stubborn);
    using _ = agent;
    const before = marked(agent.node);
    agent.signal('SIGSTOP');
    await eventually('the jobs are gone', () => before.every((pid) => !isAlive(pid)));
    expect(agent.exited).toEqual([]);
    agent.signal('SIGCONT');
    await eventually('the agent knows', () => agent.exited.length === stubborn.length);
    agent.child.send('go on');
    await eventually('it runs a new job', () => agent.running.at(-1) === 'deaf');
    await eventually('it has a new reaper', () => agent.reaper !== undefined && agent.reaper !== reaper);
    const next = agent.reaper as number;
    agent.signal('SIGKILL');
    await agent.gone(next);
  });

  it('leaves an agent alone that was stopped for less than the lease', async () => {
    const { agent, reaper } = await started(3_000, ['deaf']);
    using _ = agent;
    agent.signal('SIGSTOP');
    await eventually('it is stopped', () => readFileSync(`/proc/${agent.child.pid}/stat`, 'latin1').includes(') T '));
    agent.signal('SIGCONT');
    agent.child.send('go on');
    await eventually('it runs a new job', () => agent.running.length === 2);
    expect([agent.exited, isAlive(reaper)]).toEqual([[], true]);
    agent.signal('SIGKILL');
    await agent.gone(reaper);
  });

  it('ignores the signals that end an agent with its terminal', async () => {
    const { agent, reaper } = await started(5_000, ['deaf']);
    using _ = agent;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(reaper, signal);
    agent.signal('SIGKILL');
    await agent.gone(reaper);
  });

  it('is replaced when it is killed, and the next one knows everything', async () => {
    const { agent, reaper } = await started(5_000, stubborn);
    using _ = agent;
    process.kill(reaper, 'SIGKILL');
    await eventually('there is another one', () => agent.reaper !== undefined && agent.reaper !== reaper);
    const next = agent.reaper as number;
    // A job that starts now has been registered with the new one, behind all that it was told again.
    agent.child.send('go on');
    await eventually('a new job runs', () => agent.running.at(-1) === 'deaf');
    expect(agent.exited).toEqual([]);
    agent.signal('SIGKILL');
    await agent.gone(next);
  });

  it('is replaced when it is stopped, and what waited for it goes on', async () => {
    const { agent, reaper } = await started(1_500, stubborn);
    using _ = agent;
    process.kill(reaper, 'SIGSTOP');
    // More than the spare there is: new executors are needed, which nobody watches yet.
    for (let job = 0; job < 3; job += 1) agent.child.send('go on');
    await eventually('the stopped one is killed', () => !isAlive(reaper));
    await eventually('the new jobs run', () => agent.running.length === stubborn.length + 3);
    expect(agent.exited).toEqual([]);
    const next = agent.reaper as number;
    agent.signal('SIGKILL');
    await agent.gone(next);
  });

  it('that is stopped does not keep its agent from closing', async () => {
    const { agent, reaper } = await started(1_000, ['deaf']);
    using _ = agent;
    process.kill(reaper, 'SIGSTOP');
    agent.child.send('close');
    await eventually('the agent has ended', () => agent.child.exitCode === 0);
    await agent.gone(reaper);
  });

  it('is tried again while its agent has no descriptors left, and nothing of the agent breaks', async () => {
    const { agent, reaper } = await started(5_000, ['deaf']);
    using _ = agent;
    agent.child.send('use up descriptors');
    await eventually('there are none', () => agent.lines.some(({ full }) => full === true));
    process.kill(reaper, 'SIGKILL');
    await eventually('the agent has tried in vain', () => agent.warned('The reaper cannot be started'));
    agent.child.send('go on');
    await eventually('nor can an executor be had', () => agent.warned('An executor cannot be started'));
    process.kill(agent.lines.find(({ running }) => running === 'deaf')?.pid ?? 0, 'SIGKILL');
    await pause(100); // What is hunted now cannot be looked for.
    agent.child.send('give back descriptors');
    await eventually('it has a reaper again', () => agent.reaper !== undefined);
    await eventually('the job runs', () => agent.running.length === 2);
    await eventually('the agent knows of the end', () => agent.exited.length === 1);
    const next = agent.reaper as number;
    agent.signal('SIGKILL');
    await agent.gone(next);
  });
});
