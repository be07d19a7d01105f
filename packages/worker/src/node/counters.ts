import { CloseCode, mostTombstones, ProtocolError } from '@muster/rexi';
import { Agenda } from './agenda.ts';

/**
 * Which references of a session have been read and which were killed before they were: so that a reference starts at
 * most once, and one whose kill has overtaken its cast does not start at all.
 */
export class Counters {
  #highest = 0;
  /** Each is due when the counter has passed it. */
  readonly #tombstones: Agenda<number> = new Agenda();

  get highest(): number {
    return this.#highest;
  }

  get tombstones(): number {
    return this.#tombstones.size;
  }

  /** Reads a cast: whether its job may run. */
  cast(counter: number): 'new' | 'duplicate' | 'killed' {
    if (counter <= this.#highest) return 'duplicate';
    this.#highest = counter;
    const killed = this.#tombstones.has(counter);
    this.#forget();
    return killed ? 'killed' : 'new';
  }

  /**
   * Reads a kill of a job that is not in the table. At or below the highest counter it is for an ended job and leaves
   * nothing.
   * @throws ProtocolError `badState` for more kills ahead of their casts than can be kept.
   */
  killed(counter: number): void {
    if (counter <= this.#highest || this.#tombstones.has(counter)) return;
    if (this.#tombstones.size >= mostTombstones) {
      throw new ProtocolError(CloseCode.badState, `The peer killed ${mostTombstones} jobs that it has not cast.`);
    }
    this.#tombstones.set(counter, counter);
  }

  /** A tombstone goes when the counter passes it: a cast at or below is a duplicate from then on. */
  #forget(): void {
    for (
      let { first } = this.#tombstones;
      first !== undefined && first.at <= this.#highest;
      { first } = this.#tombstones
    ) {
      this.#tombstones.delete(first.key);
    }
  }
}
