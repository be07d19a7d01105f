import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeProcess } from 'muster/local';
import type { Order } from '../kill/second-coordinator.ts';
import { Victims } from '../kill/victims.ts';
import { freePort } from './free-port.ts';
import { Proxy } from './proxy.ts';

/** A node that is up, and the proxy before it. */
export interface StageNode {
  readonly process: NodeProcess;
  readonly proxy: Proxy;
}

const jobs = fileURLToPath(new URL('../jobs.js', import.meta.url));

/** Milliseconds that a node may take until it is ready. */
const startTime = 20_000;

/** Everything that the demo has started, and the one directory that all of it is in. Nothing outlives `strike()`. */
export class Stage {
  readonly dir: string;
  readonly secretFile: string;
  readonly nodes: StageNode[] = [];
  /** Coordinators beside the demo's own. */
  readonly coordinators: Victims[] = [];
  /** Milliseconds that a node believes in a silent coordinator. */
  readonly lease: number;
  readonly #secret: string;
  /** What ends nodes and proxies, however far they have come. */
  readonly #ends: (() => Promise<void>)[] = [];
  #struck: Promise<void> | undefined;

  private constructor(dir: string, secret: string, lease: number) {
    this.dir = dir;
    this.#secret = secret;
    this.lease = lease;
    this.secretFile = join(dir, 'secret');
  }

  static async set(lease: number): Promise<Stage> {
    const dir = await mkdtemp(join(tmpdir(), 'muster-demo-'));
    const stage = new Stage(dir, randomBytes(32).toString('hex'), lease);
    await chmod(dir, 0o700);
    await writeFile(stage.secretFile, stage.#secret, { mode: 0o600 });
    return stage;
  }

  get secret(): string {
    return this.#secret;
  }

  /** Addresses to dial. */
  get addresses(): string[] {
    return this.nodes.map(({ process }) => process.address);
  }

  /** The same nodes, through their proxies. */
  get proxied(): string[] {
    return this.nodes.map(({ proxy }) => `ws://${proxy.authority}`);
  }

  /** Starts so many nodes, n1 and on, at the same time. */
  async start(nodes: number): Promise<void> {
    const ids = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
    const started = await Promise.all(ids.map((id) => this.#startNode(id)));
    this.nodes.push(...started);
  }

  /** Starts another coordinator, in a process of its own. @throws when everything is being ended. */
  addCoordinator(order: Order): Victims {
    this.#open();
    const victims = new Victims(order);
    this.coordinators.push(victims);
    return victims;
  }

  /** Ends everything, and removes the directory. May be called twice. */
  strike(): Promise<void> {
    return (this.#struck ??= this.#strike());
  }

  async #startNode(id: string): Promise<StageNode> {
    const proxy = await Proxy.open();
    this.#ends.push(() => proxy.close());
    for (let tries = 1; ; tries += 1) {
      const process = await this.#tryNode(id, proxy);
      if (process.address !== '') return { process, proxy };
      // Somebody else may have taken the port meanwhile.
      if (tries === 3 || !process.errors.includes('EADDRINUSE'))
        throw new Error(`The node ${id} did not start. ${process.errors.trim()}`);
    }
  }

  /**
   * The port is chosen here and not by the node, since the node must be told its own address before the proxy's: other
   * nodes dial the first that it advertises, and are to do so without the proxy.
   */
  async #tryNode(id: string, proxy: Proxy): Promise<NodeProcess> {
    const port = await freePort();
    this.#open();
    const own = `127.0.0.1:${port}`;
    const { dir, secretFile, lease } = this;
    const advertise = [own, proxy.authority];
    const process = new NodeProcess({
      id,
      dataDir: join(dir, id),
      secretFile,
      jobs,
      args: [
        '--listen',
        `ws://${own}`,
        '--advertise',
        advertise.join(','),
        '--set',
        `lease=${lease}`,
        '--log-level',
        'warn',
      ],
    });
    this.#ends.unshift(() => process.stop());
    await process.line(({ event }) => event === 'ready', startTime);
    proxy.passTo(port);
    return process;
  }

  #open(): void {
    if (this.#struck !== undefined) throw new Error('Everything is being ended.');
  }

  async #strike(): Promise<void> {
    for (const coordinator of this.coordinators) coordinator.killCoordinator();
    await Promise.all(this.#ends.map((end) => end()));
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
