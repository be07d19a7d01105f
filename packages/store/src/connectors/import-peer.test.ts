import { describe, expect, it } from 'vitest';
import { importPeer } from './import-peer.ts';

describe('a missing client library', () => {
  const missing = (name: string): Error =>
    Object.assign(new Error(`Cannot find package '${name}' imported from /x.js`), { code: 'ERR_MODULE_NOT_FOUND' });

  it('is a sentence that names the package', async () => {
    const failure = importPeer('redis', '@redis/client', () => Promise.reject(missing('@redis/client')));
    await expect(failure).rejects.toMatchObject({
      code: 'bad_options',
      message: expect.stringContaining('npm install @redis/client'),
    });
  });

  it('is not what another failure of the library is called', async () => {
    const other = missing('denque');
    await expect(importPeer('redis', '@redis/client', () => Promise.reject(other))).rejects.toBe(other);
  });
});
