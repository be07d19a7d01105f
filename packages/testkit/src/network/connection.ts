import type { Link, LinkEnd, LinkHandler, Peer, Timer } from '@muster/rexi';
import { defaults } from '@muster/rexi';
import type { EventLoop } from '../simulation/event-loop.ts';
import type { Held, SimProcess } from '../simulation/sim-process.ts';
import type { Fin, Item, Sink } from './flow.ts';
import { Flow } from './flow.ts';
import type { Path } from './path.ts';

const reset: LinkEnd = { by: 'peer', code: 1006, reason: '' };
const vanished: LinkEnd = { by: 'silent', code: 1006, reason: 'ETIMEDOUT' };
/** How long a kernel sends again what nobody acknowledges, in nanoseconds. */
const tcpPatience = 900e9;

/** Bytes that the kernels of both sides hold for one direction. */
const kernelBuffer = 256 * 1024;

/** One side of a connection to be. */
export interface Side {
  readonly process: SimProcess;
  /** Who is at the other end. */
  readonly peer: Peer;
}

/** A connection between two processes, as the network sees it: two ends and two flows. */
export class Connection {
  /** The dialling end, and the one that listened. */
  readonly near: SimLink;
  readonly far: SimLink;
  /** Who has dialled, and whom: machine names. */
  readonly name: string;
  readonly #loop: EventLoop;
  readonly #paths: { readonly out: Path; readonly back: Path };
  #lost = false;

  constructor(loop: EventLoop, near: Side, far: Side, out: Path, back: Path, over: (connection: Connection) => void) {
    this.#loop = loop;
    this.#paths = { out, back };
    this.name = `${near.process.name} > ${far.process.name}`;
    let open = 2;
    const told = (): void => {
      open -= 1;
      if (open === 0) over(this);
    };
    const flow = (path: Path, sender: () => SimLink): Flow =>
      new Flow({
        loop,
        path,
        buffer: kernelBuffer,
        drained: () => sender().drained(),
        bounced: () => this.#back(path).travel(() => sender().learn(reset)),
        cut: () => this.reset(),
      });
    this.near = new SimLink(
      near,
      loop,
      flow(out, () => this.near),
      told,
    );
    this.far = new SimLink(
      far,
      loop,
      flow(back, () => this.far),
      told,
    );
    this.near.join(this.far, (end) => this.#tell(out, this.far, end));
    this.far.join(this.near, (end) => this.#tell(back, this.near, end));
  }

  get peak(): number {
    return Math.max(this.near.flow.peak, this.far.flow.peak);
  }

  /** Both ends see a reset; what is under way arrives before it, or is lost when it comes to a paused end. */
  reset(): void {
    const arrived = Math.max(this.near.flow.lastArrival, this.far.flow.lastArrival);
    this.#loop.after(arrived - this.#loop.now, () => {
      for (const link of [this.near, this.far]) link.learn(reset);
    });
  }

  /** Carries nothing any more, and nobody is told, but for the one that is named. */
  vanish(told?: 'near' | 'far'): void {
    this.#lost = true;
    for (const link of [this.near, this.far]) {
      link.flow.destroy();
      if (this[told ?? 'near'] !== link || told === undefined)
        this.#loop.after(tcpPatience, () => link.learn(vanished));
    }
    if (told !== undefined) this[told].learn(reset);
  }

  #back(path: Path): Path {
    return path === this.#paths.out ? this.#paths.back : this.#paths.out;
  }

  /** A reset on its way; on a clogged path it is lost, and the other end learns of it when it sends something. */
  #tell(path: Path, link: SimLink, end: LinkEnd): void {
    if (!this.#lost && !path.blocked) path.travel(() => link.learn(end));
  }
}

/** One end of a connection, with the manners of a socket. */
export class SimLink implements Link, Held, Sink {
  readonly peer: Peer;
  readonly process: SimProcess;
  /** What this end sends. */
  readonly flow: Flow;
  readonly #loop: EventLoop;
  readonly #told: () => void;
  #other: SimLink | undefined;
  #tellOther: (end: LinkEnd) => void = () => undefined;
  #handler: LinkHandler | undefined;
  #paused = false;
  /** How it ends, or will: what is said first stays. */
  #end: LinkEnd | undefined;
  /** Its kernel keeps nothing of it any more. */
  #gone = false;
  #heardEnd = false;
  #closing: Timer | undefined;

  constructor({ process, peer }: Side, loop: EventLoop, flow: Flow, told: () => void) {
    this.process = process;
    this.peer = peer;
    this.flow = flow;
    this.#loop = loop;
    this.#told = told;
  }

  join(other: SimLink, tellOther: (end: LinkEnd) => void): void {
    this.#other = other;
    this.#tellOther = tellOther;
    other.flow.connect(this);
    this.process.holds(this);
  }

  /** What this end reads. */
  get incoming(): Flow {
    if (this.#other === undefined) throw new Error('A link has two ends: call join first.');
    return this.#other.flow;
  }

  get gone(): boolean {
    return this.#gone;
  }

  get queued(): number {
    return this.flow.queued;
  }

  handle(handler: LinkHandler): void {
    this.#handler = handler;
    this.#readSoon(); // Not in this turn: its owner may not be ready to hear.
    const end = this.#end;
    if (this.#gone && end !== undefined) this.#loop.soon(() => this.process.enter('sockets', () => this.#hear(end)));
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#end !== undefined || this.process.isDead) return;
    this.flow.push(Buffer.concat(parts));
    this.process.sends();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#readSoon();
  }

  close(code: number, reason: string): void {
    if (this.#end !== undefined || this.process.isDead) return;
    this.#end = { by: 'self', code, reason };
    this.flow.push({ code, reason });
    this.#closing = this.process.clock.after(defaults.connect, () => this.#drop());
    this.#readSoon(); // What comes in is dropped from now on, paused or not.
  }

  abort(reason: string): void {
    if (this.process.isDead) return;
    this.#end ??= { by: 'self', code: 1006, reason };
    this.#drop();
  }

  /** The kernel tells this end that it is over. */
  learn(end: LinkEnd): void {
    if (this.#gone) return;
    this.#end ??= end;
    this.#bury();
    const known = this.#end;
    this.process.enter('sockets', () => this.#hear(known));
  }

  drained(): void {
    this.process.enter('sockets', () => this.#gone || this.#handler?.drained());
  }

  /** The kernel closes it: what it has taken still leaves, and then the end; unless the kernel is gone as well. */
  processDied(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#told();
    if (this.process.machine.up) this.flow.finish({ code: 1006, reason: '' });
    else this.flow.orphan();
  }

  ready(): boolean {
    return this.#handler !== undefined && (!this.#paused || this.#end !== undefined);
  }

  take(item: Item): void {
    if (item instanceof Uint8Array) {
      if (this.#end === undefined) this.#handler?.frame(item);
      return;
    }
    this.#closedBy(item);
  }

  awake(read: () => void): void {
    this.process.enter('sockets', read);
  }

  #readSoon(): void {
    this.#loop.soon(() => this.awake(() => this.incoming.read()));
  }

  /** The peer's close has been read: both are over. */
  #closedBy({ code, reason }: Fin): void {
    if (this.#gone) return;
    this.#end ??= { by: 'peer', code, reason };
    this.#bury();
    this.#tellOther(reset);
    this.#hear(this.#end);
  }

  #drop(): void {
    if (this.#gone) return;
    this.#bury();
    this.#tellOther(reset);
    const end = this.#end ?? reset;
    this.#loop.soon(() => this.process.enter('sockets', () => this.#hear(end)));
  }

  #bury(): void {
    this.#gone = true;
    this.#closing?.cancel();
    this.flow.destroy();
    this.process.drops(this);
    this.#told();
  }

  /** The one way to the end. */
  #hear(end: LinkEnd): void {
    if (this.#heardEnd || this.#handler === undefined) return;
    this.#heardEnd = true;
    this.#handler.ended(end);
  }
}
