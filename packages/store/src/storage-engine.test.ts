import { describe, expect, it } from 'vitest';
import { MemoryConnector } from './memory-connector.ts';
import { openConnector, registerConnector } from './open-connector.ts';
import { engineOver, openEngine } from './storage-engine.ts';
import { valueOf } from './testing/batch-checks.ts';

describe('a storage engine', () => {
  it('keeps, reads, describes and deletes many, in order', async () => {
    const engine = await openEngine('memory', { name: 'columns', budget: 10_000 });
    const keys = (await engine.putMany([1, 2, 3].map((size) => new Uint8Array(size)))).map(valueOf);
    expect(keys[0]).toMatch(/^columns\./);
    await engine.deleteMany([keys[1] ?? '', 'nothing-here']);
    expect((await engine.getMany(keys)).map(valueOf).map((bytes) => bytes?.length)).toEqual([1, undefined, 3]);
    expect((await engine.stat(keys)).map(valueOf)).toEqual([{ size: 1 }, undefined, { size: 3 }]);
    await engine.close();
    await expect(engine.stat(keys)).rejects.toMatchObject({ code: 'closed' });
    await expect(engine.deleteMany(keys)).rejects.toMatchObject({ code: 'closed' });
  });

  it('says of each item what became of it', async () => {
    const engine = engineOver(new MemoryConnector({ budget: 1_000 }));
    const replies = await engine.putMany([10, 2_000, 10].map((size) => new Uint8Array(size)));
    expect(replies.map((reply) => reply.ok || reply.error.code)).toEqual([true, 'full', true]);
  });

  it('is made of any kind of connector that was registered', async () => {
    registerConnector('mine', ({ name }) => new MemoryConnector({ name }));
    expect((await openConnector({ kind: 'mine', name: 'm' })).name).toBe('m');
    expect((await (await openEngine('mine')).putMany([new Uint8Array(1)]))[0]).toMatchObject({ ok: true });
    expect(() => registerConnector('mine', () => new MemoryConnector())).toThrow(/registered already/);
    await expect(openEngine('yours')).rejects.toMatchObject({ code: 'bad_options' });
  });
});
