import type { DialOptions, Entropy, Link, Listener, ListenOptions, Transport } from '@muster/rexi';
import type { Answer } from '@muster/rexi/testing';
import {
  answerOf,
  authority,
  authorityOf,
  authoritySet,
  dialFailed,
  Gate,
  hostAndPort,
  listenFailed,
  race,
  reply,
  subprotocol,
  unwelcome,
} from '@muster/rexi/testing';
import type { EventLoop } from '../simulation/event-loop.ts';
import type { Machine } from '../simulation/machine.ts';
import type { Random } from '../simulation/random.ts';
import type { SimProcess } from '../simulation/sim-process.ts';
import { Connection } from './connection.ts';
import { Path } from './path.ts';

interface Booth {
  readonly gate: Gate;
  readonly options: ListenOptions;
  readonly process: SimProcess;
}

/** A request's answer, and the dialling end of the link that it made, if it made one. */
interface Answered {
  readonly answer: Answer;
  readonly link?: Link;
}

/** A network of machines: the real handshake over simulated paths, and connections that can be hurt in every way. */
export class Network {
  /** Connections of which at least one end still believes in them, oldest first. */
  readonly connections: Set<Connection> = new Set();
  /** The most that ever waited for a kernel, of all connections. */
  peak = 0;
  readonly #loop: EventLoop;
  readonly #random: Random;
  readonly #entropy: Entropy;
  readonly #machines: Map<string, Machine> = new Map();
  readonly #paths: Map<string, Path> = new Map();
  readonly #booths: Map<string, Booth> = new Map();
  #port = 40_000;

  constructor(loop: EventLoop, random: Random, entropy: Entropy) {
    this.#loop = loop;
    this.#random = random;
    this.#entropy = entropy;
  }

  add(machine: Machine): void {
    this.#machines.set(machine.name, machine);
  }

  path(from: string, to: string): Path {
    const name = `${from} > ${to}`;
    const known = this.#paths.get(name);
    if (known !== undefined) return known;
    const path = new Path(this.#loop, this.#random.fork(name), this.#machine(from), this.#machine(to));
    this.#paths.set(name, path);
    return path;
  }

  /** The machine is there again: what others kept for it goes. */
  booted(name: string): void {
    for (const path of this.#paths.values()) if (path.from.name === name || path.to.name === name) path.wake();
  }

  /** A process's way to others. Addresses name machines: `ws://w1:7101`. */
  transport(process: SimProcess): Transport {
    return {
      dial: (address, options) =>
        race(process.clock, address, options, (lost) => this.#shake(process, address, options, lost)),
      listen: (address, options) => this.#listen(process, address, options),
    };
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`There is no machine "${name}" in the simulation.`);
    return machine;
  }

  // oxlint-disable-next-line require-await -- a wrong address has to come as a rejection, as with sockets
  async #listen(process: SimProcess, address: string, options: ListenOptions): Promise<Listener> {
    const { host, port } = hostAndPort(authorityOf(address));
    const name = authority(host, port || this.#port++);
    if (this.#booths.has(name)) throw listenFailed(address, Object.assign(new Error(name), { code: 'EADDRINUSE' }));
    const names = authoritySet([name, ...(options.advertise ?? [])]);
    const { clock } = process;
    const gate = new Gate({ ...options, clock, entropy: this.#entropy, authorities: () => names });
    const booth = { gate, options, process };
    const close = (): void => {
      for (const [known, each] of this.#booths) if (each === booth) this.#booths.delete(known);
    };
    for (const each of names) this.#booths.set(each, booth);
    process.holds({ processDied: close });
    return { address: `ws://${name}`, close: () => Promise.resolve(close()) };
  }

  /** The listener has accepted before the dialler knows. */
  async #shake(process: SimProcess, address: string, options: DialOptions, lost: AbortSignal): Promise<Link> {
    const first = await this.#ask(process, address);
    lost.throwIfAborted();
    const shown = reply(address, options, this.#entropy, first.answer);
    const { answer, link } = await this.#ask(process, address, shown.authorization);
    if (link === undefined) throw unwelcome(address, answer);
    try {
      shown.verify(answer);
      lost.throwIfAborted();
    } catch (error) {
      link.abort('the dial was over');
      throw error;
    }
    return link;
  }

  /** Makes `other` lead to the listener at `address`, as a port mapping does that nobody told the listener about. */
  alias(other: string, address: string): void {
    const booth = this.#booths.get(authorityOf(address));
    if (booth !== undefined) this.#booths.set(authorityOf(other), booth);
  }

  /** One bare request of a handshake, and the answer to it. */
  async request(process: SimProcess, address: string, authorization?: string): Promise<Answer> {
    const { answer, link } = await this.#ask(process, address, authorization);
    link?.abort('nobody wanted it');
    return answer;
  }

  /** One request and its answer: there, through the process that listens, and back. */
  #ask(process: SimProcess, address: string, authorization?: string): Promise<Answered> {
    const host = authorityOf(address);
    const target = this.#booths.get(host)?.process.machine.name ?? hostAndPort(host).host;
    const out = this.path(process.machine.name, target);
    const back = this.path(target, process.machine.name);
    return new Promise((resolve, reject) => {
      const home = (run: () => void): void => back.travel(() => process.enter('sockets', run));
      out.travel(() => {
        const booth = this.#booths.get(host);
        if (booth === undefined) {
          return home(() => reject(dialFailed(address, Object.assign(new Error(host), { code: 'ECONNREFUSED' }))));
        }
        booth.process.enter('sockets', () => {
          const answered = this.#judge(booth, process, requestTo(host, authorization), [out, back]);
          home(() => resolve(answered));
        });
      });
    });
  }

  #judge(
    { gate, options: { accept, identity }, process: listener }: Booth,
    dialler: SimProcess,
    request: Parameters<Gate['judge']>[0],
    [out, back]: readonly [Path, Path],
  ): Answered {
    const verdict = gate.judge(request);
    if (verdict.kind !== 'accepted') return { answer: answerOf(verdict) };
    const connection = new Connection(
      this.#loop,
      { process: dialler, peer: { role: 'worker', id: identity.id, incarnation: identity.incarnation } },
      { process: listener, peer: verdict.peer },
      out,
      back,
      (over) => {
        this.connections.delete(over);
        this.peak = Math.max(this.peak, over.peak);
      },
    );
    this.connections.add(connection);
    accept(connection.far);
    return { answer: answerOf(verdict), link: connection.near };
  }
}

function requestTo(host: string, authorization: string | undefined): Parameters<Gate['judge']>[0] {
  return { host, origin: undefined, protocols: subprotocol, authorization };
}
