import type { Clock, DialOptions, Link, LinkHandler, Timer, Transport } from '../seams.ts';

/** What waits for a stopped process, in the order in which an event loop usually comes to it. */
const phases = ['timers', 'sockets', 'soon'] as const;
type Phase = (typeof phases)[number];

/**
 * A process that can be stopped and continued, as SIGSTOP and SIGCONT do, or a long synchronous call: time goes on, and
 * its timers, its sockets and whatever it has asked for wait.
 */
export class Stoppable {
  readonly clock: Clock;
  readonly #held: Record<Phase, (() => void)[]> = { timers: [], sockets: [], soon: [] };
  #stopped = false;

  constructor(clock: Clock) {
    this.clock = {
      now: () => clock.now(),
      after: (ms, fire) => this.#timer(clock, ms, fire),
      soon: (run) => clock.soon(() => this.#run('soon', run)),
    };
  }

  stop(): void {
    this.#stopped = true;
  }

  /** `first`: what an event loop comes to first depends on where it was stopped. */
  continue(first: Phase = 'timers'): void {
    this.#stopped = false;
    for (const phase of [first, ...phases]) for (const run of this.#held[phase].splice(0)) run();
  }

  /** The process's end of a link: what arrives while it is stopped waits. */
  link(link: Link): Link {
    const { peer } = link;
    return {
      peer,
      get queued() {
        return link.queued;
      },
      handle: (handler) => link.handle(this.#handler(handler)),
      send: (parts) => link.send(parts),
      pause: () => link.pause(),
      resume: () => link.resume(),
      close: (code, reason) => link.close(code, reason),
      abort: (reason) => link.abort(reason),
    };
  }

  /** The process's way to others. */
  transport(transport: Transport): Transport {
    return {
      dial: async (address: string, options: DialOptions) => this.link(await transport.dial(address, options)),
      listen: (address, options) =>
        transport.listen(address, { ...options, accept: (link) => options.accept(this.link(link)) }),
    };
  }

  /** Calls `run` as soon as the process reads what it is told. */
  read(run: () => void): void {
    this.#run('sockets', run);
  }

  #handler(handler: LinkHandler): LinkHandler {
    return {
      frame: (bytes) => this.#run('sockets', () => handler.frame(bytes)),
      drained: () => this.#run('sockets', () => handler.drained()),
      ended: (end) => this.#run('sockets', () => handler.ended(end)),
    };
  }

  #timer(clock: Clock, ms: number, fire: () => void): Timer {
    let cancelled = false;
    const timer = clock.after(ms, () => this.#run('timers', () => cancelled || fire()));
    return { cancel: () => ((cancelled = true), timer.cancel()) };
  }

  #run(phase: Phase, run: () => void): void {
    if (this.#stopped) this.#held[phase].push(run);
    else run();
  }
}
