import type { ClusterError } from '@muster/rexi';

/** Something that a node is asked: exactly one of `answered` and `over` is called, once, unless nobody cares any more. */
export interface Question<Answer> {
  /** It has its turn: say it under this number. */
  ask(id: number): void;
  answered(answer: Answer): void;
  /** The session is over before the answer. */
  over(error: ClusterError): void;
}

/**
 * Questions of one session. A node closes a session of which it has more than so many open, and every job with it, so
 * the rest wait here for their turn, in order. One that was asked keeps its place until the node has answered it,
 * also when nobody waits for that any more: to the node it is open.
 */
export class Questions<Answer> {
  readonly #most: number;
  readonly #waiting: Set<Question<Answer>> = new Set();
  /** By their numbers; undefined: nobody waits for the answer any more. */
  readonly #open: Map<number, Question<Answer> | undefined> = new Map();
  #last = 0;

  constructor(most: number) {
    this.#most = most;
  }

  ask(question: Question<Answer>): void {
    this.#waiting.add(question);
    this.#next();
  }

  /** Nobody waits for the answer any more. */
  giveUp(question: Question<Answer>): void {
    if (this.#waiting.delete(question)) return;
    for (const [id, open] of this.#open) if (open === question) this.#open.set(id, undefined);
  }

  answered(id: number, answer: Answer): void {
    const question = this.#open.get(id);
    if (!this.#open.delete(id)) return;
    question?.answered(answer);
    this.#next();
  }

  /** The session is over: nothing that was asked in it will be answered. */
  over(error: ClusterError): void {
    const lost = [...this.#open.values(), ...this.#waiting];
    this.#open.clear();
    this.#waiting.clear();
    for (const question of lost) question?.over(error);
  }

  #next(): void {
    for (const question of this.#waiting) {
      if (this.#open.size >= this.#most) return;
      this.#waiting.delete(question);
      const id = this.#nextId();
      this.#open.set(id, question);
      question.ask(id);
    }
  }

  /** 1 to 2^32 - 1, then again from 1, past those still open: 0 is what asks for no answer. */
  #nextId(): number {
    do this.#last = (this.#last % 0xffff_ffff) + 1;
    while (this.#open.has(this.#last));
    return this.#last;
  }
}
