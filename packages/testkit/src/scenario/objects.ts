import type { ObjectRef } from '@muster/worker/testing';
import { contentOf } from './object-jobs.ts';
import { Caller } from './request.ts';
import { stored } from './stored.ts';
import type { Life } from './workload.ts';

/** An object that one of the coordinator's lives has heard of. */
export interface KnownObject {
  readonly of: ObjectRef<string>;
  /** The job that made it. */
  readonly ref: string;
  readonly life: number;
}

const kinds = { put: 4, putForOneself: 1, fetch: 5, has: 3, drop: 0.5, fetchHere: 2, hasHere: 1 };
type Kind = keyof typeof kinds;

/** So many are remembered; they may be gone long since. */
const most = 24;

/** Objects that jobs make, use at other nodes, drop and forget, and that outlive nobody who owns them. */
export function objects(life: Life): void {
  new Objects(life).goOn();
  stored(life);
}

class Objects {
  readonly #life: Life;
  readonly #caller: Caller;
  /** Coordinator incarnations differ where lives do; what an earlier one has made, nobody owns any more. */
  readonly #known: KnownObject[];

  constructor(life: Life) {
    this.#life = life;
    this.#caller = new Caller(life.coordinator.process, life.note);
    this.#known = life.remembered as KnownObject[];
  }

  goOn(): void {
    const { coordinator, random, open } = this.#life;
    coordinator.process.clock.after(random.exponential(400), () => {
      if (!open() || coordinator.closed) return;
      void this.#one(random.weighed(kinds));
      this.goOn();
    });
  }

  async #one(kind: Kind): Promise<void> {
    const { random } = this.#life;
    if (kind === 'put' || kind === 'putForOneself') return this.#put(kind);
    const known = this.#known.length === 0 ? undefined : random.pick(this.#known);
    if (known === undefined) return;
    if (kind === 'fetchHere' || kind === 'hasHere') return this.#here(kind, known);
    return this.#use(kind, known);
  }

  async #put(kind: 'put' | 'putForOneself'): Promise<void> {
    const { coordinator, random, next, note } = this.#life;
    const size = random.pick([1, 900, 900, 70_000]);
    const asked = { request: next(), kind, job: kind, parts: 1, count: 1, expected: ['complete', 'job_failed'] };
    await this.#caller.call(asked, async () => {
      const [of, ref] = (await coordinator.cluster.call(kind, size)) as [ObjectRef<string>, string];
      note('object-made', { key: of.key, ref, size, kept: kind === 'put' });
      this.#known.push({ of, ref, life: coordinator.life });
      if (this.#known.length > most) this.#known.shift();
      return ref;
    });
  }

  /** At any node, most often not the one that holds it. */
  async #use(kind: 'fetch' | 'has' | 'drop', { of }: KnownObject): Promise<void> {
    const { coordinator, next, note, nodes, random } = this.#life;
    const asked = { request: next(), kind, job: kind, parts: 1, count: 1, expected: ['complete'] };
    const node = random.pick(nodes);
    await this.#caller.call(asked, async () => {
      if (kind === 'drop') note('object-dropped', { key: of.key });
      const began = coordinator.process.now;
      const told = (await coordinator.cluster.call(kind, of, { node })) as Told;
      this.#tell(kind, of.key, began, told);
      return asked.kind;
    });
  }

  /** By the coordinator itself. */
  async #here(kind: 'fetchHere' | 'hasHere', { of, life }: KnownObject): Promise<void> {
    // A reference is bound to the handle that it came through.
    if (life !== this.#life.coordinator.life) return;
    const began = this.#life.coordinator.process.now;
    try {
      const told = kind === 'fetchHere' ? { content: await of.get() } : { there: await of.exists() };
      this.#tell(kind, of.key, began, told);
    } catch (error) {
      this.#tell(kind, of.key, began, { refused: String((error as { code?: unknown }).code ?? error) });
    }
  }

  #tell(kind: string, key: string, began: number, told: Told): void {
    const { content, ...rest } = told;
    const facts = content === undefined ? rest : { size: content.length, whole: isWhole(content) };
    this.#life.note('object-told', { kind, key, began, ...facts });
  }
}

interface Told {
  readonly content?: string;
  readonly there?: boolean;
  readonly refused?: string;
}

/** Whose it is, where it is what that job has made. */
function isWhole(content: string): string | undefined {
  const [ref = ''] = content.split('/');
  return content === contentOf(ref, content.length) ? ref : undefined;
}
