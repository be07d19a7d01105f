// What nodes run while they are hurt: jobs that end only when somebody ends them, each in a way that is hard to end.
import type { JobContext } from '@muster/worker';
import { execFileSync, spawn } from 'node:child_process';
import { openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

interface Beating {
  /** The directory in which each job touches a file of its own for as long as it is alive. */
  readonly beat: string;
}

const fileOf = ({ beat }: Beating, { ref, node }: JobContext): string => join(beat, `${node}-${ref}`);

/** Writes over the same byte, so that the file's time is that of the last beat. */
function heart(args: Beating, ctx: JobContext): () => void {
  const file = openSync(fileOf(args, ctx), 'a');
  return () => void writeSync(file, '.', 0);
}

/** A shell that beats for as long as it lives. */
const beater = 'while :; do touch "$0"; sleep 0.05; done';

export async function add({ a, b }: { readonly a: number; readonly b: number }): Promise<number> {
  return a + b;
}

/** Busy for so many milliseconds, and answers with so many bytes. */
export async function work({ ms, bytes }: { readonly ms: number; readonly bytes: number }): Promise<string> {
  for (const end = performance.now() + ms; performance.now() < end;);
  return 'x'.repeat(bytes);
}

/** Writes to the disk of its node. */
export async function write(_args: Beating, ctx: JobContext): Promise<void> {
  writeFileSync(join(ctx.dataDir, ctx.ref), Buffer.alloc(64 << 10));
}

/** Busy for ever: hears no abort. */
export async function spin(args: Beating, ctx: JobContext): Promise<never> {
  const touch = heart(args, ctx);
  for (let next = 0; ;) {
    if (performance.now() < next) continue;
    touch();
    next = performance.now() + 5;
  }
}

/** Blocked for ever in native code, waiting for a child. */
export async function block(args: Beating, ctx: JobContext): Promise<void> {
  execFileSync('/bin/sh', ['-c', beater, fileOf(args, ctx)]);
}

/** Leaves grandchildren in sessions of their own, then waits for ever. */
export async function fork(args: Beating, ctx: JobContext): Promise<void> {
  const twice = 'setsid /bin/sh -c "$1" "$0" & setsid /bin/sh -c "$1" "$0.2" &';
  spawn('/bin/sh', ['-c', twice, fileOf(args, ctx), beater], { stdio: 'ignore' });
  await new Promise(() => setInterval(() => undefined, 1_000));
}

/** A row now and then, for ever, not hearing that it is to end. */
export async function* tick(args: Beating, ctx: JobContext): AsyncGenerator<{ i: number; node: string }> {
  const touch = heart(args, ctx);
  for (let i = 0; ; i += 1) {
    touch();
    yield { i, node: ctx.node };
    await sleep(5);
  }
}

/** Rows as fast as they are wanted, for ever. */
export async function* flood(
  args: Beating,
  ctx: JobContext,
): AsyncGenerator<{ i: number; node: string; text: string }> {
  const touch = heart(args, ctx);
  const text = 'x'.repeat(1_000);
  for (let i = 0; ; i += 1) {
    if (i % 100 === 0) touch();
    yield { i, node: ctx.node, text };
  }
}
