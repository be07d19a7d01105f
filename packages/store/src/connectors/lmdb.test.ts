import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterAll, describe, expect, it } from 'vitest';
import { connectorSuite } from '../testing/index.ts';
import { lmdbConnector } from './lmdb.ts';

const root = mkdtempSync(join(tmpdir(), 'lmdb-connector-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;
const fresh = (): string => join(root, `${(directories += 1)}`);

connectorSuite({ describe, it }, 'lmdbConnector', {
  open: () => lmdbConnector({ directory: fresh(), fsync: false }),
  openSmall: () => lmdbConnector({ directory: fresh(), fsync: false, budget: 400_000 }),
  async count(connector) {
    const path = join(connector.config()['directory'] as string, 'objects.mdb');
    const database = open({ path, encoding: 'binary', noSync: true });
    try {
      return database.getKeysCount();
    } finally {
      await database.close();
    }
  },
});

describe('an lmdb connector', () => {
  it('reaches the disk by default, and keeps what was put when it is opened again', async () => {
    const directory = fresh();
    const first = await lmdbConnector({ directory });
    expect(first.config()['fsync']).toBe(true);
    const key = await first.put(new Uint8Array([1, 2, 3]));
    await first.close();
    const second = await lmdbConnector({ directory });
    expect([...((await second.get(key)) ?? [])]).toEqual([1, 2, 3]);
    await second.close();
  });
});
