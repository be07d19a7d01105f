import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real server for one file of tests. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Stops it in the middle of whatever it does, and lets it go on. */
  freeze(): Promise<void>;
  thaw(): void;
  stop(): Promise<void>;
}

/** Milliseconds until a server that was started must answer. */
const patience = 20_000;

/**
 * Whether there is no such command here: tests that need it are skipped then, and this says so. In CI (`CI` is set) a missing
 * server is a failure.
 */
export function lacks(command: string): boolean {
  if (spawnSync(command, ['--version']).status === 0) return false;
  const sentence = `There is no ${command} here: apt-get install ${command}.`;
  if (process.env['CI']) throw new Error(sentence);
  console.warn(`${sentence} Tests that need it are skipped.`);
  return true;
}

export async function startRedis(options: readonly string[] = [], given?: number): Promise<TestServer> {
  const port = given ?? (await freePort());
  const dir = mkdtempSync(join(tmpdir(), 'redis-'));
  const all = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'no',
    ...options,
  ];
  const server = await start('redis-server', all, dir);
  await answers(port);
  return { ...server, port, url: `redis://127.0.0.1:${port}` };
}

export async function startNats(): Promise<TestServer> {
  const dir = mkdtempSync(join(tmpdir(), 'nats-'));
  const args = ['--addr', '127.0.0.1', '--port', '-1', '--jetstream', '--store_dir', dir, '--ports_file_dir', dir];
  const server = await start('nats-server', args, dir);
  const file = await poll(() => readdirSync(dir).find((name) => name.endsWith('.ports')));
  const { nats } = await poll(() => parsed<{ nats: string[] }>(join(dir, file)));
  const port = Number(new URL(nats[0] ?? '').port);
  await answers(port);
  return { ...server, port, url: `nats://127.0.0.1:${port}` };
}

/** Ended by its pid, and by the end of this process: a shell beside it waits for the end of a pipe. */
async function start(command: string, args: string[], dir: string): Promise<Omit<TestServer, 'url' | 'port'>> {
  const script = '"$@" >/dev/null 2>&1 & echo $!; exec 2>/dev/null; cat >/dev/null; kill -KILL $!; wait $! 2>/dev/null';
  const shell = spawn('sh', ['-c', script, 'sh', command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  return {
    async freeze() {
      process.kill(pid, 'SIGSTOP');
      await poll(() => /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')) || undefined);
    },
    thaw: () => void process.kill(pid, 'SIGCONT'),
    async stop() {
      const ended = once(shell, 'exit');
      shell.stdin.end();
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<void> {
  await poll(async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return undefined;
    } finally {
      socket.destroy();
    }
  });
}

/** What is looked for, as soon as it is there. @throws after 20 s. */
export async function poll<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('The server did not start in time.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function parsed<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
