import assert from 'node:assert/strict';
import type { CallOptions, Capabilities, Connector, ObjectStat, PutOptions, Reply } from '../connector.ts';

/** A connector, and a Map of what must be in it: who puts through it owns what is put, until it is evicted. */
export class Owned {
  readonly inner: Connector;
  readonly objects: Map<string, Uint8Array> = new Map();

  constructor(inner: Connector) {
    this.inner = inner;
  }

  get capabilities(): Capabilities {
    return this.inner.capabilities;
  }

  own(key: string, bytes: Uint8Array): string {
    this.objects.set(key, bytes);
    return key;
  }

  /** Its objects went with the connector. */
  forget(): void {
    this.objects.clear();
  }

  async put(bytes: Uint8Array, options?: PutOptions): Promise<string> {
    return this.own(await this.inner.put(bytes, options), bytes);
  }

  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    return this.inner.get(key, options);
  }

  exists(key: string, options?: CallOptions): Promise<boolean> {
    return this.inner.exists(key, options);
  }

  stat(key: string, options?: CallOptions): Promise<ObjectStat | undefined> {
    return this.inner.stat(key, options);
  }

  async evict(key: string, options?: CallOptions): Promise<void> {
    await this.inner.evict(key, options);
    this.objects.delete(key);
  }

  async putBatch(objects: readonly Uint8Array[], options?: PutOptions): Promise<Reply<string>[]> {
    const replies = await this.inner.putBatch(objects, options);
    for (const [at, reply] of replies.entries()) if (reply.ok) this.own(reply.value, objects[at] ?? new Uint8Array());
    return replies;
  }

  getBatch(keys: readonly string[], options?: CallOptions): Promise<Reply<Uint8Array | undefined>[]> {
    return this.inner.getBatch(keys, options);
  }

  defers(): boolean {
    return this.inner.newKey !== undefined && this.inner.set !== undefined;
  }

  // oxlint-disable-next-line require-await
  async newKey(options?: PutOptions): Promise<string> {
    assert.ok(this.inner.newKey);
    return this.inner.newKey(options);
  }

  async set(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    assert.ok(this.inner.set);
    await this.inner.set(key, bytes, options);
    this.own(key, bytes);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  /** The objects alive become the objects owned, and stay so: what was undone is gone in the end. */
  async settles(count: (connector: Connector) => Promise<number> | number, patience: number): Promise<void> {
    const end = Date.now() + patience;
    let alive = await count(this.inner);
    while (alive !== this.objects.size && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      alive = await count(this.inner);
    }
    assert.equal(alive, this.objects.size, 'objects alive are the objects owned');
  }
}
