import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Prey } from '../../packages/worker/dist/reaper/hunter.js';
import { endWithCompany, Hunter } from '../../packages/worker/dist/reaper/hunter.js';
import { statOf } from '../../packages/worker/dist/reaper/processes.js';
import { eventually, isAlive, marked, sweep } from './executor-rig.ts';

/** A clock of which the process dies after its first turn: what it was to do later it never does. */
const mortal = {
  now: () => performance.now(),
  after: () => ({ cancel: () => undefined }),
  soon: (run: () => void) => void setImmediate(run),
};

/** Says how much a process that ends itself stands back while it is at it, and whether it may change that at all. */
const lastWords = `
  import { getPriority, setPriority } from 'node:os';
  import { endWithCompany } from ${JSON.stringify(new URL('../../packages/worker/dist/reaper/hunter.js', import.meta.url))};
  let may = true;
  setPriority(11);
  try { setPriority(10); } catch { may = false; }
  process.kill = () => process.stdout.write(JSON.stringify({ may, niceness: getPriority() }));
  endWithCompany({ pid: process.pid, start: 0, marker: 'MUSTER_EXECUTOR=none' });
`;

let scenes = 0;

const spinning = '(setsid sleep 3600 &) ; while :; do :; done';
const waiting = '(setsid sleep 3600 &) ; sleep 3600';

/** A leader, and one that has left its session and its parent: only the marker tells of it. */
class Scene implements Disposable {
  readonly node: string = `h${process.pid}-${(scenes += 1)}`;
  readonly leader: ChildProcess;

  constructor(script: string) {
    this.leader = spawn('sh', ['-c', script], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, MUSTER_EXECUTOR: `${this.node}/0-1` },
    });
  }

  get prey(): Prey {
    const pid = this.leader.pid as number;
    return { pid, start: statOf(pid)?.start ?? 0, marker: `MUSTER_EXECUTOR=${this.node}/0-1` };
  }

  get escaped(): number | undefined {
    return marked(this.node).find((pid) => statOf(pid)?.group === pid && pid !== this.leader.pid);
  }

  get left(): number[] {
    return marked(this.node).filter(isAlive);
  }

  [Symbol.dispose](): void {
    sweep(this.node, '/nowhere');
  }
}

async function started(script = spinning): Promise<Scene & { readonly escaped: number }> {
  const scene = new Scene(script);
  await eventually('one has escaped', () => scene.escaped !== undefined);
  return scene as Scene & { readonly escaped: number };
}

describe('what has left the group and the parent of a process that is killed', () => {
  let struck: number[] = [];

  beforeEach(() => {
    struck = [];
    const kill = process.kill.bind(process);
    vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      struck.push(pid);
      return kill(pid, signal);
    });
  });
  afterEach(() => void vi.restoreAllMocks());

  it('dies with the first blow, so that it does not live on when the hunter dies after that', async () => {
    using scene = await started();
    void new Hunter(mortal).kill(scene.prey);
    await eventually('nothing is left', () => scene.left.length === 0);
  });

  it('dies before the leader, whose watchdog is there for it as long as it lives', async () => {
    using scene = await started();
    const { escaped } = scene;
    void new Hunter(mortal).kill(scene.prey);
    await eventually('nothing is left', () => scene.left.length === 0);
    expect(struck.slice(0, 2)).toEqual([escaped, -(scene.leader.pid as number)]);
  });

  it('dies alone before the leader, which sees no child of its own group die', async () => {
    using scene = await started(waiting);
    const { escaped } = scene;
    await eventually('the leader waits for its child', () => scene.left.length === 3);
    void new Hunter(mortal).kill(scene.prey);
    await eventually('nothing is left', () => scene.left.length === 0);
    expect(struck.slice(0, 2)).toEqual([escaped, -(scene.leader.pid as number)]);
  });

  it('dies with the first blow on each of many, all of which are looked for at once', async () => {
    using first = await started();
    using second = await started();
    const hunter = new Hunter(mortal);
    for (const { prey } of [first, second]) void hunter.kill(prey);
    await eventually('nothing is left', () => [...first.left, ...second.left].length === 0);
  });

  it('is struck once by a process that ends itself, which does not wait for its dying', async () => {
    using scene = await started();
    const { escaped, prey } = scene;
    // Dying takes its time.
    vi.mocked(process.kill).mockImplementation((pid) => {
      struck.push(pid);
      return true;
    });
    endWithCompany(prey);
    vi.restoreAllMocks();
    expect(struck).toEqual([escaped, -(scene.leader.pid as number)]);
  });
});

describe('a process that ends itself', () => {
  it('stands back behind nobody in that, where it may', () => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', lastWords], { encoding: 'utf8' });
    const { may, niceness } = JSON.parse(stdout) as { may: boolean; niceness: number };
    expect(niceness).toBe(may ? 0 : 11);
  });
});
