// Jobs of the end-to-end tests. Each touches a file of its own as long as it is alive.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const fileOf = (dir, { ref }) => join(dir, ref.replaceAll(/\W/g, '-'));

/** Writes over the same byte, so that the file's time is that of the last beat. */
function heart(dir, ctx) {
  const file = openSync(fileOf(dir, ctx), 'a');
  return { beat: () => writeSync(file, '.', 0), stop: () => closeSync(file) };
}

/** A shell that beats for as long as it lives. */
const beater = 'while :; do touch "$0"; sleep 0.05; done';

export async function add({ a, b }) {
  return a + b;
}

export async function where(_args, ctx) {
  return { node: ctx.node, pid: process.pid, shard: ctx.shard?.id };
}

/** Busy for ever. */
export async function spin({ beat }, ctx) {
  const { beat: touch } = heart(beat, ctx);
  for (let next = 0; ;) {
    if (performance.now() < next) continue;
    touch();
    next = performance.now() + 5;
  }
}

/** Blocked for ever in native code, waiting for a child. */
export async function block({ beat }, ctx) {
  execFileSync('/bin/sh', ['-c', beater, fileOf(beat, ctx)]);
}

/** Leaves a grandchild in a session of its own, then waits for ever. */
export async function fork({ beat }, ctx) {
  const file = fileOf(beat, ctx);
  spawn('/bin/sh', ['-c', 'setsid /bin/sh -c "$1" "$0" & setsid /bin/sh -c "$1" "$0.2" &', file, beater], {
    stdio: 'ignore',
  });
  await new Promise(() => setInterval(() => undefined, 1_000));
}

/** Rows for ever, and a few words when it is left. */
export async function* farewell(_args, ctx) {
  try {
    for (let i = 0; ; i += 1) {
      yield { i };
      if (i % 10 === 0) await pause(2);
    }
  } finally {
    ctx.log('farewell');
    ctx.progress(1);
  }
}

/** Prints in every way there is; then waits, so that an error of it would be heard. */
export async function print({ text }) {
  console.log(text);
  console.error(text);
  process.stdout.write(`${text}\n`);
  process.stderr.write(`${text}\n`);
  await pause(100);
  return 'printed';
}

/** A row now and then, for ever, ignoring that it is asked to end. */
export async function* tick({ beat, every = 5 }, ctx) {
  const { beat: touch } = heart(beat, ctx);
  for (let i = 0; ; i += 1) {
    touch();
    yield { i };
    await pause(every);
  }
}

/** One row, and then nothing: neither an abort nor the end of its generator is heard. */
export async function* sulk() {
  yield { i: 0 };
  await new Promise(() => undefined);
}

/** Rows as fast as they are wanted. */
export async function* count({ n, size = 0 }, ctx) {
  const text = 'x'.repeat(size);
  for (let i = 0; i < n; i += 1) yield { i, text, node: ctx.node };
}

export async function nap({ ms, beat }, ctx) {
  if (beat !== undefined) heart(beat, ctx).beat();
  await pause(ms);
  return 'rested';
}

/** Says that it has begun, and no more. */
export async function mark({ beat }, ctx) {
  heart(beat, ctx).beat();
  return true;
}

export async function size({ bytes }) {
  return bytes.length;
}

export async function bytes({ count }) {
  return Buffer.alloc(count, 7);
}

export async function fetched({ ref }) {
  return (await ref.get()).length;
}

// What jobs should not do.

export async function exit({ code }) {
  process.exit(code);
}

export async function throwText() {
  throw 'just a text';
}

export async function throwMuch({ size }) {
  throw new Error('x'.repeat(size));
}

export async function returnFunction() {
  return { handler: () => 1 };
}

export async function leakRejection() {
  void Promise.reject(new Error('nobody waits for this'));
  await pause(50);
  return 'never mind';
}

export async function leaveInterval({ beat }, ctx) {
  const { beat: touch } = heart(beat, ctx);
  setInterval(touch, 5);
  return 'gone';
}

/** Writes to the socket of its agent what it likes. */
export async function forge({ hex }) {
  writeSync(3, Buffer.from(hex, 'hex'));
  await pause(10_000);
}

/** Returns, and leaves a grandchild behind. */
export async function leaveGrandchild({ beat }, ctx) {
  const file = fileOf(beat, ctx);
  spawn('/bin/sh', ['-c', 'setsid /bin/sh -c "$1" "$0" &', file, beater], { stdio: 'ignore' });
  await pause(100);
  return 'gone';
}

/** Says something again and again for a while, as fast as it can; then it says so, and stays. */
async function chatter({ says, ms, size = 1_000_000 }, { progress, log, ping }) {
  const text = 'x'.repeat(size);
  const until = performance.now() + ms;
  let n = 0;
  for (; performance.now() < until; n += 1) {
    if (says === 'progress') progress({ n, text });
    else if (says === 'log') for (let line = 0; line < 1_000; line += 1) log(`line ${line}`, { text: 'x'.repeat(900) });
    else ping();
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress({ n, done: true });
  await new Promise(() => setInterval(() => undefined, 1_000));
}

export async function chatters(args, ctx) {
  await chatter(args, ctx);
}

export async function* chattersInStream(args, ctx) {
  yield { i: 0 };
  await chatter(args, ctx);
}

// Shard data under the node's own directory.

export async function keep({ shard, rows }, ctx) {
  mkdirSync(ctx.dataDir, { recursive: true });
  writeFileSync(join(ctx.dataDir, `shard-${shard}.json`), JSON.stringify(rows));
  return rows.length;
}

export async function* kept(_args, ctx) {
  for (const row of JSON.parse(readFileSync(join(ctx.dataDir, `shard-${ctx.shard.id}.json`), 'utf8')))
    yield { ...row, node: ctx.node };
}

export async function* naps(args, ctx) {
  yield await nap(args, ctx);
}

export async function text({ size }) {
  return 'x'.repeat(size);
}

export async function traced(_args, { trace }) {
  return trace;
}

/** Says what its trace is in what it throws. */
export async function throwsTraced(_args, ctx) {
  ctx.progress(1);
  throw new Error(ctx.trace?.traceparent ?? 'none');
}

/** A line of its log; resolves with what the line has to be about. */
export async function says(fields, ctx) {
  ctx.log('said', fields);
  return { ref: ctx.ref, trace: ctx.trace.traceparent };
}

/** Many lines, as long as they are allowed to be. */
export async function saysMuch({ lines }, ctx) {
  for (let i = 0; i < lines; i += 1) ctx.log('x'.repeat(900), { i });
  await pause(50);
}
