#!/usr/bin/env node
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { main } from '../commands/main.ts';

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.abort());
// Who no longer reads wants no more.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => end.abort());

const terminal = {
  out: (text: string): void => void process.stdout.write(text),
  err: (text: string): void => void process.stderr.write(text),
  isScreen: process.stdout.isTTY,
  pause: (ms: number): Promise<void> => sleep(ms, undefined, { signal: end.signal }).catch(() => undefined),
  end: end.signal,
};
const version = (): string => String(createRequire(import.meta.url)('../../package.json').version);

// Not by process.exit: what was said may still be on its way into a pipe.
process.exitCode = await main(process.argv.slice(2), terminal, version);
