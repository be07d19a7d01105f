// Jobs that do what jobs should not, for the tests of executors.
import { execFileSync, spawn } from 'node:child_process';

const forever = () => new Promise(() => setInterval(() => undefined, 1_000));

export async function echo(value) {
  return value;
}

export async function where() {
  return {
    pid: process.pid,
    cwd: process.cwd(),
    options: process.env.NODE_OPTIONS ?? null,
    secret: process.env.MUSTER_TEST_SECRET ?? null,
  };
}

export async function spin(_, { ping }) {
  ping();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (;;);
}

export async function block(_, { ping }) {
  ping();
  await new Promise((resolve) => setTimeout(resolve, 20));
  execFileSync('sleep', ['1000']);
}

export async function grandchild(_, { progress }) {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  progress(child.pid);
  await forever();
}

/** In its group, but without the marker. */
export async function unmarked(_, { progress }) {
  progress(spawn('sleep', ['1000'], { stdio: 'ignore', env: {} }).pid);
  await forever();
}

/** Its child, but in another session and without the marker. */
export async function estranged(_, { progress }) {
  progress(spawn('sleep', ['1000'], { stdio: 'ignore', env: {}, detached: true }).pid);
  await forever();
}

/** Neither its child, nor in its group, nor marked. */
export async function stranger(_, { progress }) {
  progress(await daemonise('env -i setsid sleep 1000 & echo $!'));
  await forever();
}

/** Leaves a process that has neither its group nor its parent. */
function daemonise(script = 'setsid sleep 1000 & echo $!') {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  return new Promise((resolve) => {
    child.stdout.once('data', (text) => {
      child.stdout.destroy();
      child.once('exit', () => resolve(Number(text)));
    });
  });
}

export async function daemon(_, { progress }) {
  progress(await daemonise());
  await forever();
}

export async function daemonLeft() {
  return daemonise();
}

export async function exits() {
  process.exit(3);
}

export async function throwsText() {
  throw 'just a text';
}

export async function throwsNothing() {
  throw undefined;
}

export async function throwsError() {
  throw Object.assign(new TypeError('told so', { cause: new Error('deeper') }), { code: 'E_TOLD' });
}

export async function givesFunction() {
  return { deep: [{ call: () => 1 }] };
}

export async function leaksRejection(_, { ping }) {
  ping();
  void Promise.reject(new Error('nobody cares'));
  await forever();
}

export async function leaksLines() {
  void Promise.reject(new Error('one\nNode b is ready\u001b[2J'));
  await forever();
}

export async function leaksException() {
  setTimeout(() => {
    throw new Error('thrown later');
  }, 5);
  await forever();
}

/** An error that nothing in Node 20 traces back to its job. */
export async function leaksUntraceably(_, { ping }) {
  ping();
  setTimeout(
    () =>
      queueMicrotask(() => {
        throw new Error('whose is this');
      }),
    5,
  );
  await forever();
}

export async function leaksInterval() {
  setInterval(() => undefined, 1_000);
  return process.pid;
}

export async function deaf(_, { ping }) {
  ping();
  await forever();
}

export async function obedient(_, { signal, ping }) {
  ping();
  await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

export async function* rows(count) {
  for (let id = 0; id < count; id++) yield { id, text: 'x'.repeat(60) };
  return count;
}

export async function* endless() {
  for (let id = 0; ; id++) yield { id, text: 'x'.repeat(100) };
}

export const checked = {
  [Symbol.for('muster.job')]: true,
  args: {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value?.land === 'string' ? { value } : { issues: [{ message: 'expected a string', path: ['land'] }] },
    },
  },
  run: async ({ land }) => land,
};

/** Puts more than there is room for between it and its agent. */
export async function keepsTooMuch(bytes, { store }) {
  return store.put(Buffer.alloc(bytes)).then(
    () => 'kept',
    ({ code, message }) => ({ code, message }),
  );
}

export async function keeps(value, { store }) {
  const ref = await store.put(value);
  return { ref, value: await ref.get() };
}
