import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connectorSuite } from '../testing/index.ts';
import { pattern, same } from '../testing/pattern.ts';
import { fileConnector } from './file.ts';

const root = mkdtempSync(join(tmpdir(), 'file-connector-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;
const fresh = (): string => join(root, `${(directories += 1)}`);
const files = (directory: string): string[] => readdirSync(directory);

for (const fsync of [false, true]) {
  connectorSuite({ describe, it }, `fileConnector${fsync ? ' with fsync' : ''}`, {
    open: () => fileConnector({ directory: fresh(), fsync }),
    count: (connector) => files(connector.config()['directory'] as string).length,
    seeds: fsync ? [1] : [1, 2, 3, 4, 5],
  });
}

describe('a file connector', () => {
  it('keeps objects in a directory and in files for nobody else, under names that are no keys', async () => {
    const directory = fresh();
    const connector = await fileConnector({ directory });
    const key = await connector.put(pattern(10));
    const [name = ''] = files(directory);
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(key).not.toContain(name);
    expect([statSync(directory).mode & 0o777, statSync(join(directory, name)).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it.each([0o755, 0o770, 0o701])('refuses a directory of mode %o, which others can enter', async (mode) => {
    const directory = fresh();
    await fileConnector({ directory });
    chmodSync(directory, mode);
    await expect(fileConnector({ directory })).rejects.toMatchObject({ code: 'bad_options' });
  });

  it('follows no link, neither to the directory nor to an object', async () => {
    const directory = fresh();
    const connector = await fileConnector({ directory });
    const key = await connector.put(pattern(10));
    const path = join(directory, files(directory)[0] ?? '');
    rmSync(path);
    symlinkSync('/etc/hostname', path);
    await expect(connector.get(key)).rejects.toMatchObject({ code: 'corrupt' });
    expect(await connector.exists(key)).toBe(false);
    const link = fresh();
    symlinkSync(directory, link);
    await expect(fileConnector({ directory: link })).rejects.toMatchObject({ code: 'bad_options' });
  });

  it('collects what writers have left behind, and nothing that is being written', async () => {
    const directory = fresh();
    const connector = await fileConnector({ directory });
    const key = await connector.put(pattern(10));
    const [old, young] = [join(directory, 'new-old'), join(directory, 'new-young')];
    for (const path of [old, young]) writeFileSync(path, 'half');
    const longAgo = Date.now() / 1000 - 3700;
    for (const path of [old, join(directory, files(directory).find((name) => !name.startsWith('new-')) ?? '')]) {
      utimesSync(path, longAgo, longAgo);
    }
    const next = await fileConnector({ directory });
    expect(files(directory).filter((name) => name.startsWith('new-'))).toEqual(['new-young']);
    expect(same(await next.get(key), pattern(10))).toBe(true);
  });

  it('says that the disk is full, keeps nothing of what did not fit, and goes on', async () => {
    const directory = fresh();
    const connector = await fileConnector({ directory });
    // The kernel's bound for one file stands for a full disk here: a write fails in its middle.
    const bound = (limit: string): void => {
      expect(spawnSync('prlimit', [`--fsize=${limit}:unlimited`, '--pid', `${process.pid}`]).status).toBe(0);
    };
    bound('300000');
    try {
      await expect(connector.put(pattern(1_000_000))).rejects.toMatchObject({ code: 'full' });
      const replies = await connector.putBatch([pattern(10), pattern(1_000_000)]);
      expect(replies.map((reply) => reply.ok || reply.error.code)).toEqual([true, 'full']);
    } finally {
      bound('unlimited');
    }
    await connector.close();
    expect(files(directory)).toHaveLength(1);
  });
});
