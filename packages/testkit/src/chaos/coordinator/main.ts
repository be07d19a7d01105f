// A coordinator in a process of its own, which does what its lab tells it. It ends with the lab.
import type { Cluster, ConnectOptions } from '@muster/coordinator';
import { connect, ScatterError } from '@muster/coordinator';
import { now } from '../process/child.ts';
import type { Answer, Failure, LoadState, Order, RequestState, Verb } from './words.ts';

/** A request, and what has become of it. */
type Following = { -readonly [Fact in keyof RequestState]: RequestState[Fact] } & { readonly abort: AbortController };

const requests = new Map<string, Following>();
let cluster: Cluster | undefined;
let incarnation = '';
let open = 0;

/** Answers, and says what there is now: what a job runs for is judged by it. */
function answer(id: number, rest: Pick<Answer, 'value' | 'error'> = {}): void {
  incarnation = current();
  process.send?.({ id, ...rest, open, incarnation } satisfies Answer);
}

/** The last one that there was, once the cluster is closed. */
function current(): string {
  try {
    return cluster?.incarnation ?? incarnation;
  } catch {
    return incarnation;
  }
}

/** Counts a request for as long as it is under way. */
async function counted<T>(run: () => Promise<T>): Promise<T> {
  open += 1;
  answer(0);
  try {
    return await run();
  } finally {
    open -= 1;
    answer(0);
  }
}

function connected(): Cluster {
  if (cluster === undefined) throw new Error('It is not connected yet.');
  return cluster;
}

function requestOf(name: string): Following {
  const state = requests.get(name);
  if (state === undefined) throw new Error(`There is no request "${name}".`);
  return state;
}

/** Reads a request to its end, and remembers what has become of it. */
async function follow(state: Following, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const parts = error instanceof ScatterError ? error.parts.map((part) => failureOf(part.error)) : undefined;
    state.error = { ...failureOf(error), ...(parts && { parts }) };
  }
  state.ended = true;
  state.endedAt = now();
}

function failureOf(error: unknown): Failure {
  const { code, name, message, node, ref } = error as Error & Partial<Record<'code' | 'node' | 'ref', string>>;
  return {
    code: code ?? name,
    message,
    ...(node !== undefined && { node }),
    ...(ref !== undefined && { ref: String(ref) }),
  };
}

/** Rows that say their number in `i` are looked at: from each node they come in order, without gap and repeat. */
async function readAll(state: Following, rows: AsyncIterable<unknown>): Promise<void> {
  const next = new Map<string, number>();
  for await (const row of rows) {
    state.rows += 1;
    const { i, node = '' } = (row ?? {}) as { i?: unknown; node?: unknown };
    if (typeof i !== 'number') continue;
    const from = String(node);
    if (i !== (next.get(from) ?? 0)) state.inOrder = false;
    next.set(from, i + 1);
  }
}

/** Calls at a steady pace, whatever becomes of them; more than `most` are never open. */
class Load {
  readonly #state = { answered: 0, open: 0, held: 0, failed: {} as Record<string, number> };
  readonly #timer: NodeJS.Timeout;

  constructor(everyMs: number, most: number, job: string, args: object) {
    this.#timer = setInterval(() => {
      if (this.#state.open >= most) this.#state.held += 1;
      else void this.#call(job, args);
    }, everyMs);
  }

  get state(): LoadState {
    return this.#state;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #call(job: string, args: object): Promise<void> {
    const state = this.#state;
    state.open += 1;
    try {
      await connected().call(job, args, { timeout: 20_000 });
      state.answered += 1;
    } catch (error) {
      const { code } = failureOf(error);
      state.failed[code] = (state.failed[code] ?? 0) + 1;
    }
    state.open -= 1;
  }
}

let load: Load | undefined;

const verbs: Readonly<Record<string, (...args: never[]) => unknown>> = {
  async connect(options: ConnectOptions) {
    cluster = await connect(options);
    cluster.on('fenced', () => undefined);
    return cluster.incarnation;
  },
  begin(name: string, verb: Verb, job: string, args: object, options: object) {
    const abort = new AbortController();
    const state: Following = { rows: 0, inOrder: true, ended: false, abort };
    requests.set(name, state);
    const all = { ...options, signal: abort.signal };
    const run = async (): Promise<void> => {
      if (verb === 'call') state.value = await connected().call(job, args, all);
      else await readAll(state, connected()[verb](job, args, all));
    };
    void counted(() => follow(state, run));
  },
  load(everyMs: number, most: number, job: string, args: object) {
    load = new Load(everyMs, most, job, args);
  },
  loaded: () => load?.state,
  stopLoad: () => load?.stop(),
  /** Casts, and is gone as soon as the cast was handed over. */
  exitAfterCast(job: string, args: object) {
    for (let i = 0; i < 4; i += 1) void connected().call(job, args);
    setImmediate(() => process.exit(7));
  },
  state(name: string) {
    const { abort: _abort, ...state } = requestOf(name);
    return state;
  },
  abort: (name: string) => requestOf(name).abort.abort(),
  call: (job: string, args: object, options: object) => counted(() => connected().call(job, args, options)),
  incarnation: () => connected().incarnation,
  close: () => connected().close(),
};

process.on('message', async ({ id, verb, args }: Order) => {
  try {
    const value: unknown = await verbs[verb]?.(...(args as never[]));
    answer(id, { value });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    answer(id, { error: { code: code ?? 'Error', message } });
  }
});
process.on('disconnect', () => process.exit(0));
