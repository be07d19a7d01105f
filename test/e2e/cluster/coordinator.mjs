// A coordinator in a process of its own, which does what the test tells it. It ends with the test.
import { connect } from '@muster/coordinator';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const library = fileURLToPath(import.meta.resolve('@muster/coordinator'));
const now = () => performance.timeOrigin + performance.now();
const requests = new Map();
let cluster;

const errorOf = (error) => ({ code: error.code ?? error.name, message: error.message });

/** Reads a request to its end, and remembers what has become of it. */
async function follow(state, run) {
  try {
    await run(state);
  } catch (error) {
    state.error = errorOf(error);
  }
  state.ended = true;
  state.endedAt = now();
}

async function readAll(state, stream) {
  for await (const row of stream) {
    state.inOrder &&= row.i === undefined || row.i >= state.next;
    state.next = (row.i ?? state.rows) + 1;
    state.rows += 1;
    while (state.gate !== undefined) await state.gate;
  }
}

function rowsOf({ rows, error }) {
  if (error !== undefined) throw new Error(error.message);
  return rows;
}

const verbs = {
  async connect(options) {
    cluster = await connect(options);
    cluster.on('fenced', () => undefined);
    return cluster.incarnation;
  },
  begin(name, verb, job, args, options) {
    const abort = new AbortController();
    const state = { rows: 0, next: 0, inOrder: true, abort };
    requests.set(name, state);
    const onProgress = ({ n, done }) => (state.progress = { n, done });
    const onLog = ({ message }) => (state.line = message);
    const all = { onProgress, onLog, ...options, signal: abort.signal };
    void follow(state, async () => {
      if (verb === 'call') state.value = await cluster.call(job, args, all);
      else await readAll(state, cluster[verb](job, args, all));
    });
  },
  /** Casts, and is gone as soon as the cast was handed over. */
  exitAfterCast(job, args) {
    for (let i = 0; i < 4; i += 1) void cluster.call(job, args);
    setImmediate(() => process.exit(7));
  },
  /** Reads a stream at so many milliseconds a row. */
  slowly(name, job, args, options, ms) {
    const state = { rows: 0 };
    requests.set(name, state);
    void follow(state, async () => {
      for await (const _row of cluster.stream(job, args, options)) {
        state.rows += 1;
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
    });
  },
  /** The fewest rows that any of these has read; what has failed throws. */
  least(names) {
    return Math.min(...names.map((name) => rowsOf(requests.get(name))));
  },
  state(name) {
    const { rows, next, inOrder, value, progress, line, ended, error, endedAt } = requests.get(name);
    return { rows, next, inOrder, value, progress, line, ended, error, endedAt };
  },
  abort: (name) => requests.get(name).abort.abort(),
  pause(name) {
    const state = requests.get(name);
    state.gate = new Promise((resolve) => (state.open = resolve));
  },
  resume(name) {
    const state = requests.get(name);
    const { open } = state;
    state.gate = undefined;
    open();
  },
  call: (job, args, options) => cluster.call(job, args, options),
  incarnation: () => cluster.incarnation,
  nodes: () => cluster.nodes().map(({ id, state }) => ({ id, state })),
  memory: () => process.memoryUsage().rss,
  /** The file that stands behind `#failpoint` here. */
  failpoint: () => createRequire(library).resolve('#failpoint'),
  async close() {
    await cluster.close();
  },
};

process.on('message', async ({ id, verb, args }) => {
  try {
    const value = await verbs[verb](...args);
    process.send?.({ id, value: value === undefined ? undefined : structuredClone(value) });
  } catch (error) {
    process.send?.({ id, error: `${error.code ?? ''} ${error.message}` });
  }
});
process.on('disconnect', () => process.exit(0));
