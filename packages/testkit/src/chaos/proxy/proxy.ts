import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { Random } from '../../simulation/random.ts';
import { now } from '../process/child.ts';
import { within } from '../process/wait.ts';
import type { LinkFault, TimedFault } from './link-fault.ts';
import { inflict } from './link-fault.ts';
import { Wire } from './wire.ts';

/** One line of a proxy's log. */
export interface ProxyEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `opened`, `closed`, `known`, `fault` (somebody asked for it), `fired` (it has met bytes), `healed`. */
  readonly event: string;
  /** The connection, counted from 1; 0 for all. */
  readonly wire: number;
  readonly [fact: string]: unknown;
}

export interface ProxyOptions {
  /** What jitter and corrupted bits are drawn from. */
  readonly seed?: number | string;
}

/** Which connections a fault is for: all, of one role, or what the function says. */
export type WireFilter = string | ((wire: Wire) => boolean) | undefined;

interface Rule {
  readonly fault: LinkFault;
  readonly concerns: (wire: Wire) => boolean;
}

/** A TCP proxy on loopback in front of one node. Start it first: the node has to advertise its name. */
export class Proxy {
  readonly wires: Wire[] = [];
  /** What has happened, in order. */
  readonly log: ProxyEvent[] = [];
  /** Where connections go to; those that come before it is known are refused. */
  target = 0;
  /** Called with each new connection, before its first byte. */
  greet: (wire: Wire) => void = () => undefined;
  readonly #server: Server;
  readonly #random: Random;
  readonly #rules: Set<Rule> = new Set();
  readonly #timers: Set<NodeJS.Timeout> = new Set();
  readonly #fired: Set<string> = new Set();

  private constructor(server: Server, { seed = 0 }: ProxyOptions) {
    this.#server = server;
    this.#random = new Random(seed);
    server.on('connection', (near: Socket) => this.#accept(near));
  }

  static async open(options: ProxyOptions = {}): Promise<Proxy> {
    const server = createServer({ pauseOnConnect: false });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server, options);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get authority(): string {
    return `127.0.0.1:${this.port}`;
  }

  get address(): string {
    return `ws://${this.authority}`;
  }

  /** Connections of this role that are open. */
  of(role: string): Wire[] {
    return this.wires.filter((wire) => wire.open && wire.role === role);
  }

  /**
   * Does something to all connections that it concerns, those that are still to come included; returns what takes it
   * away again. Those that reset or corrupt concern what is open now, and nothing that comes.
   */
  fault(fault: LinkFault, filter?: WireFilter): () => void {
    const concerns =
      typeof filter === 'function' ? filter : ({ role }: Wire) => filter === undefined || role === filter;
    const rule: Rule = { fault, concerns };
    this.#note('fault', undefined, { fault });
    if (lasts(fault)) this.#rules.add(rule);
    for (const wire of this.wires) if (wire.open && concerns(wire)) this.#inflict(fault, wire);
    return () => this.#heal(rule);
  }

  /** Takes all faults away. */
  heal(): void {
    this.#rules.clear();
    this.#note('healed', undefined, {});
    for (const wire of this.wires) this.#healWire(wire);
  }

  /** Carries out a schedule from now on. What cannot be taken away again (resets) has no end. */
  play(schedule: readonly TimedFault[], filter?: WireFilter): void {
    for (const { at, fault, ms } of schedule) {
      this.#later(at, () => {
        const heal = this.fault(fault, filter);
        if (ms !== undefined) this.#later(ms, heal);
      });
    }
  }

  /** Kinds of faults that have met bytes since the proxy was opened. */
  get fired(): ReadonlySet<string> {
    return new Set(this.log.flatMap(({ event, kind }) => (event === 'fired' ? [String(kind)] : [])));
  }

  /** Resets all connections, as a machine does that is back without knowing them. */
  cut(): void {
    for (const wire of this.wires) wire.cut();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    for (const timer of this.#timers) clearTimeout(timer);
    this.#server.close();
    this.cut();
    await within('the proxy is closed', 5_000, closed);
  }

  #accept(near: Socket): void {
    const wire = new Wire(near, connect(this.target, '127.0.0.1'), this.#random.fork(this.wires.length), {
      known: (known) => {
        this.#note('known', known, { role: known.role, from: known.from });
        for (const { fault, concerns } of this.#rules) if (concerns(known)) this.#inflict(fault, known);
      },
      fired: (hurt, kind, direction, bytes) => this.#tellOnce(hurt, kind, direction, bytes),
      closed: (closed) => this.#note('closed', closed, { role: closed.role }),
    });
    this.wires.push(wire);
    this.#note('opened', wire, {});
    this.greet(wire);
  }

  #inflict(fault: LinkFault, wire: Wire): void {
    inflict(fault, wire, (ms, act) => this.#later(ms, act));
  }

  #heal(rule: Rule): void {
    this.#rules.delete(rule);
    this.#note('healed', undefined, { fault: rule.fault });
    for (const wire of this.wires) {
      if (!rule.concerns(wire)) continue;
      this.#healWire(wire);
      for (const { fault, concerns } of this.#rules) if (wire.open && concerns(wire)) this.#inflict(fault, wire);
    }
  }

  /** TCP cannot go on behind bytes that it believes delivered: such a connection is over when the fault is. */
  #healWire(wire: Wire): void {
    if (wire.lossy) wire.reset();
    else wire.heal();
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  /** The first time that a fault of a kind meets bytes of a connection. */
  #tellOnce(wire: Wire, kind: string, direction: string | undefined, bytes: number): void {
    const key = `${this.wires.indexOf(wire)} ${kind} ${direction}`;
    if (this.#fired.has(key)) return;
    this.#fired.add(key);
    this.#note('fired', wire, { kind, direction, bytes, role: wire.role });
  }

  #note(event: string, wire: Wire | undefined, facts: Record<string, unknown>): void {
    this.log.push({ at: now(), event, wire: wire === undefined ? 0 : this.wires.indexOf(wire) + 1, ...facts });
  }
}

/** Whether connections that come later suffer it as well. */
function lasts({ kind }: LinkFault): boolean {
  return ['latency', 'bandwidth', 'slice', 'hold', 'black-hole'].includes(kind);
}
