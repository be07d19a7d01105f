import type { Cluster, ConnectOptions } from '@muster/coordinator';
import { connect } from '@muster/coordinator';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Coordinator, guardiansOf } from './coordinator.ts';
import { leftovers } from './leftovers.ts';
import { childrenOf, isAlive, processesWith } from './machine.ts';
import { Proxy } from './proxy.ts';
import { RawPeer, samples } from './raw.ts';
import { until } from './wait.ts';
import { Worker } from './worker.ts';

export interface NodeOptions {
  readonly args?: readonly string[];
  /** Dialled through this proxy. */
  readonly proxy?: Proxy;
  /** Constants that differ from the defaults. */
  readonly set?: Readonly<Record<string, number>>;
  readonly jobs?: string;
  readonly dataDir?: string;
}

/**
 * A place for one test file: its own directory, its own mark on every process, and a list of all that was started, so
 * that what is left can be told. Closing it ends the nodes and throws when anything else is left.
 */
export class Lab {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'muster-e2e-'));
  readonly secret: string = randomBytes(32).toString('hex');
  readonly secretFile: string = join(this.dir, 'secret');
  /** Jobs write here that they are alive. */
  readonly beats: string = join(this.dir, 'beats');
  /** Where every process of the lab puts its temporary files; empty when all is well. */
  readonly temporary: string = join(this.dir, 'temporary');
  readonly workers: Worker[] = [];
  readonly coordinators: Coordinator[] = [];
  readonly proxies: Proxy[] = [];
  /** All ports that were in use. */
  readonly ports: Set<number> = new Set();
  /** Processes that carry no mark of ours, and are ours: reapers. */
  readonly known: Set<number> = new Set();
  readonly #clusters: { readonly cluster: Cluster; readonly ports: readonly number[] }[] = [];
  #handles = 0;

  constructor() {
    for (const dir of [this.beats, this.temporary]) mkdirSync(dir);
    writeFileSync(this.secretFile, this.secret, { mode: 0o600 });
  }

  /** Executors pass TMPDIR on, and guardians everything: it is the mark. */
  get mark(): string {
    return `TMPDIR=${this.temporary}`;
  }

  get env(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return { PATH, HOME, TMPDIR: this.temporary };
  }

  /** Starts a node without waiting for it. */
  launch(
    id: string,
    { args = [], proxy, set = {}, jobs, dataDir = join(this.dir, `data-${id}`) }: NodeOptions = {},
  ): Worker {
    const settings = Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const advertise = proxy === undefined ? [] : ['--advertise', proxy.authority];
    const all = [...args, ...settings, ...advertise];
    const { secretFile, env } = this;
    const worker = new Worker({ id, secretFile, dataDir, env, args: all, ...(jobs !== undefined && { jobs }) });
    this.workers.push(worker);
    return worker;
  }

  /** Starts a node; resolves when it takes casts. */
  async node(id: string, options: NodeOptions = {}): Promise<Worker> {
    const worker = await this.launch(id, options).ready();
    this.ports.add(worker.port);
    if (options.proxy !== undefined) options.proxy.target = worker.port;
    this.known.add(worker.reaper ?? 0);
    return worker;
  }

  async nodes(ids: readonly string[], options: NodeOptions = {}): Promise<Worker[]> {
    return Promise.all(ids.map((id) => this.node(id, options)));
  }

  async proxy(): Promise<Proxy> {
    const proxy = await Proxy.open();
    this.proxies.push(proxy);
    this.ports.add(proxy.port);
    return proxy;
  }

  /** A coordinator in a process of its own. */
  coordinator(failpoint?: string): Coordinator {
    const coordinator = new Coordinator({ env: this.env, ...(failpoint !== undefined && { failpoint }) });
    this.coordinators.push(coordinator);
    return coordinator;
  }

  /** What a coordinator of this lab needs to connect. */
  options(nodes: readonly string[], more: Partial<ConnectOptions> = {}): ConnectOptions {
    return { nodes, secret: this.secret, minNodes: nodes.length, ...more };
  }

  /** A coordinator in this process. */
  async cluster(nodes: readonly string[], more: Partial<ConnectOptions> = {}): Promise<Cluster> {
    const before = new Set(guardiansOf(process.pid));
    const cluster = await connect(this.options(nodes, more));
    for (const pid of guardiansOf(process.pid)) if (!before.has(pid)) this.known.add(pid);
    this.#clusters.push({ cluster, ports: nodes.map((address) => Number(new URL(address).port)) });
    return cluster;
  }

  /** A coordinator that says only what the test says; its session is open. */
  async rawCoordinator(address: string): Promise<RawPeer> {
    const peer = await RawPeer.dial(address, this.secret, 'coordinator');
    peer.say(samples['session-open']);
    await peer.answer('session-accepted');
    return peer;
  }

  /** A directory in which one test's jobs write that they are alive. */
  beat(): string {
    this.#handles += 1;
    const dir = join(this.beats, String(this.#handles));
    mkdirSync(dir);
    return dir;
  }

  /** Ends everything, and throws when something does not end or has left something. */
  async close(): Promise<void> {
    await Promise.all(this.#clusters.map(({ cluster }) => cluster.close()));
    // While the nodes can still answer them: a guardian that is not answered stays until the leases have run out.
    await until('all guardians of this process have gone', () => guardiansOf(process.pid).length === 0, 10_000);
    for (const coordinator of this.coordinators) coordinator.signal('SIGKILL');
    for (const worker of this.workers) {
      for (const { pid, command } of childrenOf(worker.pid)) if (command.includes('reaper')) this.known.add(pid);
      if (worker.ending !== undefined) continue;
      worker.signal('SIGTERM');
      // One that a failed test has left stopped.
      worker.signal('SIGCONT');
    }
    await until('all nodes have ended', () => this.workers.every(({ ending }) => ending !== undefined));
    await Promise.all(this.coordinators.map(({ ended }) => ended));
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    let left: string[] = [];
    const gone = until('nothing is left', () => (left = leftovers(this)).length === 0, 5_000);
    await gone.catch((error: Error) => {
      for (const { pid } of processesWith(this.mark)) process.kill(pid, 'SIGKILL');
      throw new Error(`${error.message} There are: ${left.join('; ')}`);
    });
    rmSync(this.dir, { recursive: true });
  }

  /** How many sockets there are at a port while nothing runs: one that listens, and both ends of each link. */
  socketsAt(port: number): number {
    const through = this.proxies
      .filter(({ target }) => target === port)
      .reduce((sum, proxy) => sum + this.#links(proxy.port), 0);
    return 1 + 2 * (this.#links(port) + through);
  }

  /** A coordinator of this process and its guardian have a link each. */
  #links(port: number): number {
    const open = this.#clusters.filter(({ cluster, ports }) => ports.includes(port) && isOpen(cluster));
    return 2 * open.length;
  }

  /** Whether a process that was seen is still there. */
  isKnownAlive(): number[] {
    return [...this.known].filter((pid) => pid !== 0 && isAlive(pid));
  }
}

function isOpen(cluster: Cluster): boolean {
  try {
    return cluster.nodes().length > 0;
  } catch {
    return false;
  }
}

/** Guardians of the lab's coordinators, those in this process apart, whether or not their coordinators live. */
export function guardiansIn(lab: Lab): number[] {
  const found = processesWith(lab.mark).filter(({ command }) => command.includes('guardian/main.js'));
  return found.map(({ pid }) => pid);
}
