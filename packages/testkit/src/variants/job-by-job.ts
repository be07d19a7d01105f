import { internals } from '@muster/coordinator/testing';
import { all, swap } from '../planted/breaking.ts';

const { GuardianCore } = internals;
type Core = InstanceType<typeof GuardianCore>;
type Effects = ReturnType<Core['tick']>;

/** A guardian that knows references instead of an incarnation, and kills them one by one. */
class JobByJob {
  readonly #saysOnce: boolean;
  /** Counters up to this one may have been cast. */
  to = 0;
  readonly #linked: Set<string> = new Set();
  readonly #known: Set<string> = new Set();
  readonly #gone: Set<string> = new Set();
  #since: number | undefined;

  constructor(saysOnce: boolean) {
    this.#saysOnce = saysOnce;
  }

  get isKilling(): boolean {
    return this.#since !== undefined;
  }

  knows(address: string): void {
    this.#known.add(address);
  }

  linked(address: string): Effects {
    this.#linked.add(address);
    return this.isKilling && !this.#saysOnce && !this.#gone.has(address) ? this.#kill(address) : [];
  }

  unlinked(address: string): void {
    this.#linked.delete(address);
  }

  begin(now: number): Effects {
    this.#since ??= now;
    return [...[...this.#linked].flatMap((address) => this.#kill(address)), ...this.#leave()];
  }

  killed(address: string): Effects {
    this.#gone.add(address);
    return this.#leave();
  }

  /** Whom it has not reached for so long it never will. */
  tick(now: number): Effects {
    return now - (this.#since ?? now) > (this.#saysOnce ? patience : 6 * patience) ? [{ do: 'exit', code: 3 }] : [];
  }

  #kill(address: string): Effects {
    const counters = Array.from({ length: this.to }, (_, i) => i + 1);
    return [{ do: 'send', address, message: { type: 'kill', confirm: 1, grace: 0, counters } }];
  }

  #leave(): Effects {
    return this.#gone.size < this.#known.size ? [] : [{ do: 'exit', code: 0 }];
  }
}

/** Milliseconds, as many as it takes a lease to end. */
const patience = 7_000;

export interface JobByJobOptions {
  /** What it does when its coordinator lets it go. Default true; with `false` nothing: the kills were to come before. */
  readonly killsOnRelease?: boolean;
  /** A kill that is lost with its link is lost. Default false: it is said again. */
  readonly saysOnce?: boolean;
}

/** Guardians kill the registered references at every node, and fence nothing. */
export function guardiansKillJobByJob({ killsOnRelease = true, saysOnce = false }: JobByJobOptions = {}): () => void {
  const guardians = new WeakMap<Core, JobByJob>();
  const of = (core: Core): JobByJob => {
    const known = guardians.get(core) ?? new JobByJob(saysOnce);
    guardians.set(core, known);
    return known;
  };
  const { prototype } = GuardianCore;
  return all(
    swap(
      prototype,
      'told',
      (real) =>
        function told(this: Core, message, now) {
          const mine = of(this);
          if (message.do === 'block') mine.to = Math.max(mine.to, message.to);
          if (message.do === 'node') mine.knows(message.address);
          if (message.do !== 'release') return real.call(this, message, now);
          return killsOnRelease ? mine.begin(now) : [{ do: 'exit', code: 0 }];
        },
    ),
    swap(
      prototype,
      'pipeEnded',
      () =>
        function pipeEnded(this: Core, now) {
          return of(this).begin(now);
        },
    ),
    swap(
      prototype,
      'linked',
      (real) =>
        function linked(this: Core, address) {
          return [...real.call(this, address), ...of(this).linked(address)];
        },
    ),
    swap(
      prototype,
      'unlinked',
      (real) =>
        function unlinked(this: Core, address) {
          real.call(this, address);
          of(this).unlinked(address);
        },
    ),
    swap(
      prototype,
      'heard',
      (real) =>
        function heard(this: Core, address, message, now) {
          const mine = of(this);
          if (!mine.isKilling) return real.call(this, address, message, now);
          return message.type === 'killed' ? mine.killed(address) : [];
        },
    ),
    swap(
      prototype,
      'tick',
      (real) =>
        function tick(this: Core, now) {
          const mine = of(this);
          return mine.isKilling ? mine.tick(now) : real.call(this, now);
        },
    ),
  );
}
