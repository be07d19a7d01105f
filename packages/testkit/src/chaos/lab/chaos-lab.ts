import { type ConnectOptions } from '@muster/coordinator';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChaosError } from '../chaos-error.ts';
import { CoordinatorProcess } from '../coordinator/coordinator-process.ts';
import type { RequestState, Verb } from '../coordinator/words.ts';
import type { Limits } from '../process/limits.ts';
import { limitProcess } from '../process/limits.ts';
import { now } from '../process/child.ts';
import { fill, makeRoom, mountSmall, unmount } from '../process/disk.ts';
import { isAlive, processesWith } from '../process/machine.ts';
import { pause, until } from '../process/wait.ts';
import type { LinkFault } from '../proxy/link-fault.ts';
import { Proxy } from '../proxy/proxy.ts';
import { leftovers } from './leftovers.ts';
import { LabNetwork, type Party } from './network.ts';
import { NodeProcess } from './node-process.ts';
import type { Orphan } from './orphans.ts';
import { orphansIn } from './orphans.ts';
import { Timeline } from './timeline.ts';

export interface ChaosLabOptions {
  /** How many (they are called `n1`, `n2`, …), or their names. */
  readonly nodes: number | readonly string[];
  /** The module that exports the jobs: a path from the working directory, or a URL. */
  readonly jobs: string | URL;
  /** Values of the protocol's table that differ from its defaults, for nodes and coordinator. A short `lease` makes tests short. */
  readonly constants?: ConnectOptions['constants'];
  readonly shards?: ConnectOptions['shards'];
  /** What the proxies draw from. Default 0. */
  readonly seed?: number | string;
  /** Bytes of a file system of its own for each node's data, which only root may mount. Default: it is a directory. */
  readonly disk?: number;
  /** More options of `muster-worker`, for every node. */
  readonly args?: readonly string[];
  /** More variables for every process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether a coordinator is started and connected. Default true. */
  readonly coordinator?: boolean;
}

export interface Within {
  /** Milliseconds after the newest kill, stop or fault, and after the call where there was none. */
  readonly within: number;
}

/** How long nodes and coordinators may take to end when a lab is closed, beyond what a lease takes. */
const closing = 10_000;

/**
 * A cluster of real processes on this machine, each node behind a proxy of its own, in a directory of its own. Every
 * process carries the lab's mark, so that what is left can be told, by whomever it was started. Closing it ends all of
 * it, and throws when anything is left.
 */
export class ChaosLab {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'muster-chaos-'));
  readonly secret: string = randomBytes(32).toString('hex');
  /** Where every process of the lab puts its temporary files; empty when all is well. */
  readonly temporary: string = join(this.dir, 'temporary');
  readonly timeline: Timeline = new Timeline();
  /** Nodes by name: the newest process of each. */
  readonly nodes: Map<string, NodeProcess> = new Map();
  /** Every process of a node that there was. */
  readonly agents: NodeProcess[] = [];
  readonly proxies: Map<string, Proxy> = new Map();
  readonly network: LabNetwork = new LabNetwork(this.proxies);
  readonly coordinators: CoordinatorProcess[] = [];
  /** Reapers, which carry no mark of the lab: pids. */
  readonly reapers: Set<number> = new Set();
  readonly #options: ChaosLabOptions;
  readonly #stopped: Set<number> = new Set();
  #requests = 0;
  #closed: Promise<void> | undefined;

  private constructor(options: ChaosLabOptions) {
    this.#options = options;
    mkdirSync(this.temporary);
    writeFileSync(this.secretFile, this.secret, { mode: 0o600 });
  }

  static async open(options: ChaosLabOptions): Promise<ChaosLab> {
    const lab = new ChaosLab(options);
    const { nodes: asked } = options;
    const names = typeof asked === 'number' ? Array.from({ length: asked }, (_, i) => `n${i + 1}`) : asked;
    try {
      await Promise.all(names.map((id) => lab.#open(id)));
      if (options.coordinator !== false) await lab.startCoordinator();
    } catch (error) {
      await lab.close().catch(() => undefined);
      throw error;
    }
    return lab;
  }

  get secretFile(): string {
    return join(this.dir, 'secret');
  }

  /** In the environment of every process of the lab, reapers apart: executors pass TMPDIR on, and guardians everything. */
  get mark(): string {
    return `TMPDIR=${this.temporary}`;
  }

  /** What every process of the lab sees. */
  get env(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return { PATH, HOME, ...this.#options.env, TMPDIR: this.temporary };
  }

  /** Where a node keeps its data. */
  dataDir(id: string): string {
    return join(this.dir, `data-${id}`);
  }

  /** Under which a coordinator reaches the nodes, through their proxies. */
  get addresses(): string[] {
    return Array.from(this.proxies.values(), ({ address }) => address);
  }

  /** The newest coordinator. @throws ChaosError when none was started. */
  get coordinator(): CoordinatorProcess {
    const newest = this.coordinators.at(-1);
    if (newest === undefined) throw new ChaosError('The lab has no coordinator; start one with startCoordinator().');
    return newest;
  }

  /** @throws ChaosError for a name that no node of the lab has. */
  node(id: string): NodeProcess {
    const node = this.nodes.get(id);
    if (node === undefined)
      throw new ChaosError(`There is no node "${id}"; there are ${[...this.nodes.keys()].join(', ')}.`);
    return node;
  }

  /** @throws ChaosError for a name that no node of the lab has. */
  proxy(id: string): Proxy {
    return this.proxies.get(this.node(id).id) as Proxy;
  }

  /** Starts another coordinator, and connects it to all nodes that answer: `minNodes` of them, all by default. */
  async startCoordinator(more: Partial<ConnectOptions> = {}): Promise<CoordinatorProcess> {
    const coordinator = new CoordinatorProcess(this.env);
    this.coordinators.push(coordinator);
    const { constants, shards } = this.#options;
    await coordinator.tell('connect', {
      nodes: this.addresses,
      secret: this.secret,
      minNodes: this.nodes.size,
      ...(constants && { constants }),
      ...(shards && { shards }),
      ...more,
    });
    this.timeline.note('coordinator', 'start', `process ${coordinator.pid} is connected`);
    return coordinator;
  }

  /** Starts a node again that has ended, or does within 10 s, at the same address and on the same directory. */
  async restartAgent(id: string): Promise<NodeProcess> {
    await this.node(id).gone(`node ${id}, which is to be started again,`);
    return this.#start(id);
  }

  /** Calls a job through the newest coordinator. @throws ClusterError as it was thrown there. */
  async call(job: string, args: object = {}, options: object = {}): Promise<unknown> {
    return this.coordinator.tell('call', job, args, options);
  }

  /** Begins a request that is read to its end, whatever that is; `state()` tells what has become of it. */
  async begin(verb: Verb, job: string, args: object = {}, options: object = {}): Promise<Begun> {
    const { coordinator } = this;
    const name = `request ${(this.#requests += 1)}`;
    await coordinator.begin(name, verb, job, args, options);
    return new Begun(coordinator, name);
  }

  /** Resolves when so many jobs run, all nodes together. @throws when they do not within 10 s. */
  async untilRunning(count: number): Promise<void> {
    const running = (): number => this.agents.reduce((sum, node) => sum + node.running.length, 0);
    await until(`${count} jobs run`, () => running() >= count);
  }

  /** SIGKILL; resolves when the process is dead, with the moment of the blow. */
  async killCoordinator(): Promise<number> {
    const { coordinator } = this;
    const at = this.#kill('coordinator', coordinator.pid);
    await coordinator.gone('the coordinator');
    return at;
  }

  /** SIGKILL. @throws ChaosError when the coordinator has no guardian just now. */
  async killGuardian(): Promise<number> {
    return this.#kill('guardian', this.#pidOf('guardian'));
  }

  async killAgent(id: string): Promise<number> {
    const node = this.node(id);
    const at = this.#kill(id, node.pid);
    await node.gone(`node ${id}`);
    return at;
  }

  async killReaper(id: string): Promise<number> {
    return this.#kill(id, this.node(id).reaper ?? 0, 'its reaper');
  }

  /** Kills several at once, so that none hears of the others' deaths first; `reaper of n1` and `executors of n1` are parties here. */
  async killAll(...parties: Party[]): Promise<number> {
    const pids = parties.flatMap((party) => this.#pidsOf(party).map((pid) => [party, pid] as const));
    const moments = pids.map(([party, pid]) => this.#kill(party, pid));
    const own = [...this.coordinators, ...this.agents].filter((child) => pids.some(([, pid]) => pid === child.pid));
    await Promise.all(own.map((child) => child.gone(`process ${child.pid}`)));
    await until('all are dead', () => pids.every(([, pid]) => !isAlive(pid)));
    return moments[0] ?? now();
  }

  /** SIGSTOP: the process is there, and does nothing. */
  stop(party: Party): number {
    const pid = this.#pidOf(party);
    this.#stopped.add(pid);
    process.kill(pid, 'SIGSTOP');
    return this.timeline.note(party, 'stop', `SIGSTOP to process ${pid}`);
  }

  /** SIGCONT to whatever of the party was stopped. */
  continue(party: Party): number {
    const pid = this.#pidOf(party);
    this.#stopped.delete(pid);
    process.kill(pid, 'SIGCONT');
    return this.timeline.note(party, 'heal', `SIGCONT to process ${pid}`);
  }

  /** Limits of a process that runs, by `prlimit`. */
  limit(party: Party, limits: Limits): void {
    limitProcess(this.#pidOf(party), limits);
    this.timeline.note(party, 'fault', `limits ${JSON.stringify(limits)}`);
  }

  /** Two parties hear nothing of each other until `heal()`: nodes by name, `coordinator`, `guardian`. */
  partition(a: Party, b: Party): () => void {
    return this.fault(a, b, { kind: 'hold' });
  }

  /** Does something to all links between two parties; returns what takes it away again. */
  fault(a: Party, b: Party, fault: LinkFault): () => void {
    this.timeline.note(this.nodes.has(b) ? b : a, 'fault', `${describe(fault)} between ${a} and ${b}`);
    return this.network.fault(a, b, fault);
  }

  /** The file system of a node's data is full until `makeRoom`. @throws ChaosError for a lab without the option `disk`. */
  fillDisk(id: string): void {
    const { disk } = this.#options;
    if (disk === undefined) throw new ChaosError('A disk can be filled in a lab with the option "disk".');
    fill(this.dataDir(id), disk);
    this.timeline.note(id, 'fault', 'its disk is full');
  }

  makeRoom(id: string): void {
    makeRoom(this.dataDir(id));
    this.timeline.note(id, 'heal', 'there is room on its disk');
  }

  /** All links are as they were; what was lost on the way stays lost. */
  heal(): void {
    this.network.heal();
    this.timeline.note('lab', 'heal', 'all links');
  }

  /** Processes of jobs that run for nobody. */
  orphans(): Orphan[] {
    return orphansIn({ mark: this.mark, nodes: this.agents, incarnations: this.#incarnations() });
  }

  /**
   * Waits until no job runs for nobody; resolves with how many milliseconds after the newest blow that was.
   * @throws ChaosError that names what still runs after `within` milliseconds.
   */
  async expectNoOrphans({ within }: Within): Promise<number> {
    const since = this.timeline.lastBlow;
    const called = now();
    for (;;) {
      const looked = now();
      const left = this.orphans();
      // What is seen at the end of a look was there at its beginning.
      if (left.length === 0) return Math.max(0, looked - since);
      if (looked > Math.max(since, called - within) + within) throw new ChaosError(sentenceOf(left, within));
      await pause(5);
    }
  }

  /** What there is beside nodes that run: processes, sockets, files. A sentence each. */
  leftovers(): string[] {
    return leftovers(this);
  }

  /** Ends everything. @throws ChaosError when something does not end, or has left something. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(id: string): Promise<void> {
    const { disk } = this.#options;
    if (disk !== undefined) mountSmall(this.dataDir(id), disk);
    this.proxies.set(id, await Proxy.open({ seed: `${this.#options.seed ?? 0}/${id}` }));
    await this.#start(id);
  }

  async #start(id: string): Promise<NodeProcess> {
    const proxy = this.proxies.get(id) as Proxy;
    const { args = [], constants = {}, jobs } = this.#options;
    const settings = Object.entries(constants).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const listen = proxy.target === 0 ? [] : ['--listen', `ws://127.0.0.1:${proxy.target}`];
    const { secretFile, env } = this;
    const node = new NodeProcess({
      id,
      secretFile,
      env,
      dataDir: this.dataDir(id),
      jobs: jobs instanceof URL ? fileURLToPath(jobs) : resolve(jobs),
      args: [...args, ...settings, ...listen, '--advertise', proxy.authority],
    });
    this.nodes.set(id, node);
    this.agents.push(node);
    await node.ready();
    proxy.target = node.port;
    this.reapers.add(node.reaper ?? 0);
    this.timeline.note(id, 'start', `process ${node.pid} is ready`);
    return node;
  }

  #pidsOf(party: Party): number[] {
    const [, whose, id = ''] = /^(reaper|executors) of (.+)$/.exec(party) ?? [];
    if (whose === 'reaper') return [this.node(id).reaper ?? 0];
    if (whose === 'executors') return this.node(id).executors;
    return [this.#pidOf(party)];
  }

  #pidOf(party: Party): number {
    if (party === 'coordinator') return this.coordinator.pid;
    if (party !== 'guardian') return this.node(party).pid;
    const [guardian] = this.coordinator.guardians;
    if (guardian === undefined) throw new ChaosError('The coordinator has no guardian just now.');
    return guardian;
  }

  #kill(party: Party, pid: number, whom = `process ${pid}`): number {
    if (pid === 0) throw new ChaosError(`There is no process of "${party}" to kill.`);
    const at = this.timeline.note(party, 'kill', `SIGKILL to ${whom}`);
    const own = [...this.coordinators, ...this.agents].find((child) => child.pid === pid);
    if (own === undefined) process.kill(pid, 'SIGKILL');
    else own.signal('SIGKILL');
    return at;
  }

  #incarnations(): ReadonlySet<string> {
    const wanting = this.coordinators.filter(({ ending, open }) => ending === undefined && open > 0);
    return new Set(wanting.map(({ incarnation }) => incarnation));
  }

  async #close(): Promise<void> {
    for (const pid of this.#stopped) if (isAlive(pid)) process.kill(pid, 'SIGCONT');
    this.network.heal();
    await Promise.all(this.coordinators.map((each) => endCoordinator(each)));
    const nodes = this.agents.filter(({ ending }) => ending === undefined);
    // While the nodes can still answer them: a guardian that is not answered stays until the leases have run out.
    const lease = this.#options.constants?.lease ?? 5_000;
    const patience = 1.1 * lease + closing;
    const guardians = (): number[] =>
      processesWith(this.mark).flatMap(({ pid, command }) => (command.includes('guardian/main.js') ? [pid] : []));
    await until('all guardians have gone', () => guardians().length === 0, patience).catch(() => undefined);
    for (const node of nodes) node.signal('SIGTERM');
    await until('all nodes have ended', () => nodes.every(({ ending }) => ending !== undefined), patience).catch(
      () => undefined,
    );
    await Promise.all(Array.from(this.proxies.values(), (proxy) => proxy.close()));
    let left: string[] = [];
    await until('nothing is left', () => (left = this.leftovers()).length === 0, 5_000).catch(() => {
      for (const { pid } of processesWith(this.mark)) process.kill(pid, 'SIGKILL');
    });
    if (this.#options.disk !== undefined) for (const id of this.proxies.keys()) unmount(this.dataDir(id));
    rmSync(this.dir, { recursive: true, force: true });
    if (left.length > 0) throw new ChaosError(`The lab has left something: ${left.join('; ')}.`);
  }
}

/** A request that was begun. */
export class Begun {
  readonly #coordinator: CoordinatorProcess;
  readonly #name: string;

  constructor(coordinator: CoordinatorProcess, name: string) {
    this.#coordinator = coordinator;
    this.#name = name;
  }

  state(): Promise<RequestState> {
    return this.#coordinator.state(this.#name);
  }

  async abort(): Promise<void> {
    await this.#coordinator.tell('abort', this.#name);
  }

  /** Resolves when it has ended. @throws when it has not within `ms` milliseconds. */
  ended(ms?: number): Promise<RequestState> {
    return until(`${this.#name} has ended`, async () => this.#endedState(), ms);
  }

  /** Resolves when so many rows have come. @throws when they have not within `ms` milliseconds. */
  async rows(count: number, ms?: number): Promise<void> {
    await until(`${this.#name} has ${count} rows`, async () => (await this.state()).rows >= count, ms);
  }

  async #endedState(): Promise<RequestState | undefined> {
    const state = await this.state();
    return state.ended ? state : undefined;
  }
}

/** Starts nodes and a coordinator as real processes; resolves when the coordinator is connected to all of them. */
export function chaosLab(options: ChaosLabOptions): Promise<ChaosLab> {
  return ChaosLab.open(options);
}

function describe({ kind, ...rest }: LinkFault): string {
  const facts = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
  return [kind, ...facts].join(' ');
}

function sentenceOf(left: readonly Orphan[], within: number): string {
  const each = left.map(({ pid, command, node, why }) => `process ${pid} of ${node} (${command.slice(0, 80)}): ${why}`);
  return `After ${within} ms there are still ${left.length} processes of jobs: ${each.join('; ')}.`;
}

/** Asks it to close, and kills it when it does not. */
async function endCoordinator(coordinator: CoordinatorProcess): Promise<void> {
  if (coordinator.ending !== undefined) return;
  const late = new Promise((done) => setTimeout(done, 5_000).unref());
  await Promise.race([coordinator.tell('close').catch(() => undefined), late]);
  coordinator.signal('SIGKILL');
  await coordinator.gone('the coordinator');
}
