import type { RowStream } from '@muster/coordinator';
import { ClusterError } from '@muster/rexi';
import type { Facts } from '../history/history.ts';
import type { SimProcess } from '../simulation/sim-process.ts';
import type { SimRow } from './jobs.ts';

/** How a consumer behaves. */
export interface Reading {
  /** Milliseconds between two rows; 0: as fast as they come. */
  readonly pause: number;
  /** Rows after which it leaves; Infinity: never. */
  readonly leave: number;
}

export interface Asked {
  readonly request: number;
  readonly kind: string;
  readonly job: string;
  readonly parts: number;
  /** Rows of each part. */
  readonly count: number;
  /** The rows of the parts come merged, in order. */
  readonly merged?: boolean;
  /** How it may end when nothing goes wrong around it. */
  readonly expected: readonly string[];
}

/** Writes down what one caller asks for, reads, and gets. It stops where its process does. */
export class Caller {
  readonly #process: SimProcess;
  readonly #note: (event: string, facts?: Facts) => void;

  constructor(process: SimProcess, note: (event: string, facts?: Facts) => void) {
    this.#process = process;
    this.#note = note;
  }

  async call(asked: Asked, call: () => Promise<unknown>): Promise<void> {
    const { request } = asked;
    await this.#watched(asked, async () => {
      const ref = await call();
      this.#note('row', { request, ref: String(ref), n: 0 });
      return 'complete';
    });
  }

  async read(asked: Asked, open: () => RowStream<SimRow>, { pause, leave }: Reading): Promise<void> {
    const { request } = asked;
    await this.#watched(asked, async () => {
      const stream = open();
      for (let rows = 0; rows < leave; rows += 1) {
        const { done, value } = await stream.next();
        if (done === true) return 'complete';
        const [ref, n] = value;
        this.#note('row', { request, ref, n });
        if (pause > 0) await this.#sleep(pause);
      }
      await stream.return();
      return 'left';
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#process.clock.after(ms, resolve));
  }

  async #watched(asked: Asked, run: () => Promise<string>): Promise<void> {
    this.#note('asked', { ...asked });
    const { request } = asked;
    try {
      this.#note('answered', { request, how: await run() });
    } catch (error) {
      this.#note('answered', { request, how: 'error', ...factsOf(error) });
    }
  }
}

function factsOf(error: unknown): Facts {
  if (!(error instanceof ClusterError)) return { code: `not declared: ${String(error)}` };
  const { code, job, node, ref, detail, message } = error;
  return { code, job, node, ref, detail, message };
}
