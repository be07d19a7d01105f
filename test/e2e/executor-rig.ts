import { deepEqual } from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ValueCodec } from '@muster/rexi';
import type {
  Executor,
  ExecutorEvents,
  Executors,
  Failure,
  Isolation,
  Task,
  Totals,
} from '../../packages/worker/dist/executor/executor.js';
import type { PoolOptions } from '../../packages/worker/dist/executor/pool.js';
import { startPool } from '../../packages/worker/dist/executor/pool.js';

/** References arrive as their keys. */
export const codec = new ValueCodec({ refs: { encode: () => undefined, decode: (key) => ({ key }) } });

/** Milliseconds that a machine which does other things as well may need for anything. */
const patience = 20_000;

/** Looks again and again until it is so; fails with `what` when patience is at its end. */
export async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (const until = performance.now() + patience; !isSo();) {
    if (performance.now() > until) throw new Error(`Still not so after ${patience / 1_000} s: ${what}`);
    await pause(5);
  }
}

/** Processes that carry the marker of a node's executors. */
export function marked(node: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').includes(`MUSTER_EXECUTOR=${node}/`) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Living processes that work below a directory, also where it has been removed: the unmarked ones of a test. */
function workingIn(directory: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readlinkSync(`/proc/${name}/cwd`).startsWith(`${directory}/`) && isAlive(Number(name))
        ? [Number(name)]
        : [];
    } catch {
      return [];
    }
  });
}

/**
 * Ends what a test has left running, and says what that was: nothing, if all is well. Only what is surely the test's own
 * is touched: it has the marker of its node, whose name nobody else has, or works in its own new directory.
 */
export function sweep(node: string, directory: string): number[] {
  const left = [...new Set([...marked(node), ...workingIn(directory)])];
  for (const pid of left) process.kill(pid, 'SIGKILL');
  return left;
}

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] as string);
  } catch {
    return false;
  }
}

export function jobsFile(name: string): string {
  return fileURLToPath(new URL(`./jobs/${name}`, import.meta.url));
}

/** A directory for a node's data, gone with the block. */
export class DataDir implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'muster-executor-'));

  get entries(): string[] {
    return readdirSync(this.path);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export type End =
  | { readonly type: 'reply' | 'last'; readonly value: unknown; readonly keys: readonly string[] }
  | ({ readonly type: 'failed' } & Failure)
  | { readonly type: 'stopped' }
  | { readonly type: 'exited'; readonly cause: string };

let tasks = 0;

/** One run of one job, and everything that was heard of it. */
export class Run {
  readonly task: number = (tasks += 1);
  readonly executor: Executor;
  readonly ends: End[] = [];
  readonly parked: Totals[] = [];
  readonly progress: unknown[] = [];
  readonly rows: unknown[] = [];
  sent: Totals = { rows: 0, bytes: 0 };
  taken = 0;
  pings = 0;
  onRows: () => void = () => undefined;

  constructor(executor: Executor, job: string, args?: unknown, more: Partial<Task> = {}) {
    this.executor = executor;
    const packed = args === undefined ? new Uint8Array(0) : codec.pack(args);
    const task: Task = {
      id: this.task,
      job,
      ref: '89abcdef01234567-1',
      args: packed,
      shard: new Uint8Array(0),
      ...more,
    };
    executor.run(task, this.#events());
  }

  /** The one end. */
  async end(): Promise<End> {
    await eventually('the job ends', () => this.ends.length > 0);
    return this.ends[0] as End;
  }

  #events(): ExecutorEvents {
    const objects = new Map<string, Uint8Array>();
    return {
      taken: () => void (this.taken += 1),
      rows: (_task, count, batch) => {
        this.sent = { rows: this.sent.rows + count, bytes: this.sent.bytes + batch.length };
        this.rows.push(...codec.unpackRows(batch, count));
        this.onRows();
      },
      rowKeys: () => undefined,
      parked: (_task, seen) => void this.parked.push(seen),
      reply: (_task, value, keys) => void this.ends.push({ type: 'reply', value: codec.unpack(value), keys }),
      last: (_task, value, keys) => void this.ends.push({ type: 'last', value: codec.unpack(value), keys }),
      failed: (_task, failure) => void this.ends.push({ type: 'failed', ...failure }),
      stopped: () => void this.ends.push({ type: 'stopped' }),
      notice: (task, { ping, value }) => {
        this.pings += Number(ping);
        if (value.length > 0) this.progress.push(codec.unpack(value));
        this.executor.noted(task, true);
      },
      request: (_task, request, operation, payload) => {
        if (operation === 'put') objects.set('key-1', payload.slice());
        const found = objects.get(Buffer.from(payload).toString());
        this.executor.answer(
          request,
          true,
          operation === 'put' ? Buffer.from('key-1') : Buffer.from([found ? 1 : 0, ...(found ?? [])]),
        );
      },
      exited: (cause) => void this.ends.push({ type: 'exited', cause }),
    };
  }
}

let nodes = 0;

/** A pool of the misbehaving jobs. At its end nothing of it may be left. */
export class Rig implements AsyncDisposable {
  readonly node: string;
  readonly data: DataDir;
  readonly pool: Executors;
  readonly warnings: string[];

  private constructor(node: string, data: DataDir, pool: Executors, warnings: string[]) {
    this.node = node;
    this.data = data;
    this.pool = pool;
    this.warnings = warnings;
  }

  static async start(options: Partial<PoolOptions> = {}): Promise<Rig> {
    const node = `n${process.pid}-${(nodes += 1)}`;
    const data = new DataDir();
    const warnings: string[] = [];
    const warn = (line: string): void => void warnings.push(line);
    const pool = await startPool({
      jobs: jobsFile('misbehaving.mjs'),
      node,
      dataDir: data.path,
      spares: 1,
      warn,
      ...options,
    });
    return new Rig(node, data, pool, warnings);
  }

  async run(job: string, args?: unknown, isolation: Isolation = 'exclusive', more: Partial<Task> = {}): Promise<Run> {
    return new Run(await this.pool.acquire(isolation, 'a'), job, args, more);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    const [processes, files] = [sweep(this.node, this.data.path), this.data.entries];
    this.data[Symbol.dispose]();
    deepEqual({ processes, files }, { processes: [], files: [] });
  }
}
