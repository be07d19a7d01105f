import type { Kill } from '@muster/rexi';
import { ClusterError, mostListed, mostTombstones } from '@muster/rexi';
import { Questions } from './questions.ts';

/** A kill that is not said before its cast is. */
interface Held {
  readonly grace: number;
  /** Told when the process is gone, or the session is; absent: nobody has asked. */
  readonly gone?: () => void;
}

/**
 * The node keeps a tombstone for each kill that overtakes its cast, and closes a session with more than it can keep. The
 * cast that is leaving may be overtaken as well, all of it, until its last byte has left.
 */
const mostAhead = mostTombstones - mostListed;

/**
 * The kills of one session after the other. None says more than the node takes: lists are cut, what asks for an answer
 * waits for its turn, and where too many have overtaken their casts already, a kill follows its cast.
 */
export class Kills {
  readonly #send: (kill: Kill) => void;
  readonly #confirms: Questions<void>;
  /** The highest counter whose cast has begun to leave: they leave in order. */
  #left = 0;
  /** Killed, and their casts have not left. */
  readonly #ahead: Set<number> = new Set();
  readonly #held: Map<number, Held> = new Map();

  constructor(questions: number, send: (kill: Kill) => void) {
    this.#send = send;
    this.#confirms = new Questions(questions);
  }

  /** Resolves with `confirm` when the processes are gone, or the session is; without at once. */
  async kill(counters: readonly number[], grace: number, confirm: boolean): Promise<void> {
    const now: number[] = [];
    const gone: Promise<void>[] = [];
    for (const counter of counters) {
      if (this.#mayBeSaid(counter)) now.push(counter);
      else if (!confirm) this.#held.set(counter, { grace });
      else gone.push(new Promise((resolve) => this.#held.set(counter, { grace, gone: resolve })));
    }
    await Promise.all([this.#say(now, grace, confirm), ...gone]);
  }

  /** The cast of these begins to leave. */
  left(counters: readonly number[]): void {
    const held: Held[] = [];
    const behind: number[] = [];
    for (const counter of counters) {
      this.#left = counter;
      this.#ahead.delete(counter);
      const one = this.#held.get(counter);
      if (one === undefined) continue;
      this.#held.delete(counter);
      held.push(one);
      behind.push(counter);
    }
    if (behind.length === 0) return;
    const confirm = held.some(({ gone }) => gone !== undefined);
    const grace = Math.min(...held.map((one) => one.grace));
    void this.#say(behind, grace, confirm).then(() => {
      for (const { gone } of held) gone?.();
    });
  }

  confirmed(id: number): void {
    this.#confirms.answered(id);
  }

  /** The session is over, and all that was to be killed in it. */
  over(): void {
    const held = [...this.#held.values()];
    this.#held.clear();
    this.#ahead.clear();
    for (const { gone } of held) gone?.();
    this.#confirms.over(new ClusterError('down', 'The session with the node is over.'));
  }

  #mayBeSaid(counter: number): boolean {
    if (counter <= this.#left) return true;
    if (this.#ahead.size >= mostAhead) return false;
    this.#ahead.add(counter);
    return true;
  }

  async #say(counters: readonly number[], grace: number, confirm: boolean): Promise<void> {
    const gone: Promise<void>[] = [];
    for (let at = 0; at < counters.length; at += mostListed) {
      const some = counters.slice(at, at + mostListed);
      const ask = (id: number): void => this.#send({ type: 'kill', confirm: id, grace, counters: some });
      if (!confirm) ask(0);
      else gone.push(new Promise((resolve) => this.#confirms.ask({ ask, answered: resolve, over: () => resolve() })));
    }
    await Promise.all(gone);
  }
}
