import { describe, expect, it } from 'vitest';
import { seededEntropy, virtualClock } from '@muster/rexi/testing';
import type { Backend } from './backend.ts';
import { BackendConnector } from './backend-connector.ts';

/** A backend whose calls wait for the test. */
class Scripted implements Backend {
  readonly objects = new Map<string, Uint8Array>();
  readonly removed: string[] = [];
  hold: Promise<void> | undefined;
  removal: Promise<void> | undefined;
  failure: Error | undefined;
  closed = false;

  async read(id: string): Promise<Uint8Array | undefined> {
    await this.#turn();
    return this.objects.get(id);
  }

  async write(id: string, bytes: Uint8Array): Promise<void> {
    await this.hold;
    this.objects.set(id, bytes);
    if (this.failure) throw this.failure;
  }

  async size(id: string): Promise<number | undefined> {
    return (await this.read(id))?.length;
  }

  async remove(id: string): Promise<void> {
    await this.removal;
    this.removed.push(id);
    this.objects.delete(id);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  codeOf(error: unknown): 'full' | undefined {
    return (error as Error).message === 'quota' ? 'full' : undefined;
  }

  async #turn(): Promise<void> {
    await this.hold;
    if (this.failure) throw this.failure;
  }
}

function setup(options: { timeout?: number; largest?: number; name?: string } = {}) {
  const clock = virtualClock();
  const backend = new Scripted();
  const connector = new BackendConnector({
    backend,
    clock,
    entropy: seededEntropy(1),
    config: { kind: 'scripted', name: options.name ?? 'it' },
    capabilities: { reach: 'network', durable: true, largest: options.largest ?? 1000 },
    timeout: options.timeout,
  });
  return { clock, backend, connector };
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const bytes = new Uint8Array([1, 2, 3]);

describe('a connector around a backend', () => {
  it('gives a call up when its time is up, by default after the time of the connector', async () => {
    const { clock, backend, connector } = setup({ timeout: 100 });
    backend.hold = new Promise(() => {});
    const [by, own] = [
      connector.get(`it.${'A'.repeat(22)}`),
      connector.exists(`it.${'A'.repeat(22)}`, { timeout: 300 }),
    ];
    const ends: string[] = [];
    by.catch(({ code }: { code: string }) => ends.push(`default ${code}`));
    own.catch(({ code }: { code: string }) => ends.push(`own ${code}`));
    await clock.pass(99);
    expect(ends).toEqual([]);
    await clock.pass(1);
    expect(ends).toEqual(['default timeout']);
    await clock.pass(200);
    expect(ends).toEqual(['default timeout', 'own timeout']);
  });

  it('removes what is written after its caller has left', async () => {
    const { clock, backend, connector } = setup();
    const { opened, open } = gate();
    backend.hold = opened;
    const puts = [connector.put(bytes, { timeout: 10 }), connector.putBatch([bytes, bytes], { timeout: 10 })];
    const outcomes = Promise.allSettled(puts);
    await clock.pass(10);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(backend.removed).toEqual([]);
    open();
    await clock.settle();
    expect(backend.objects.size).toBe(0);
    expect(backend.removed).toHaveLength(3);
  });

  it('removes what a failed put may have left, and says what the backend makes of the failure', async () => {
    const { clock, backend, connector } = setup();
    backend.failure = new Error('socket hang up');
    await expect(connector.put(bytes)).rejects.toMatchObject({ code: 'lost', cause: backend.failure, store: 'it' });
    backend.failure = new Error('quota');
    await expect(connector.put(bytes)).rejects.toMatchObject({ code: 'full' });
    const replies = await connector.putBatch([bytes, bytes]);
    expect(replies.map((reply) => reply.ok || reply.error.code)).toEqual(['full', 'full']);
    await clock.settle();
    expect(backend.objects.size).toBe(0);
  });

  it('refuses what is larger than it can keep, alone among the items of a batch', async () => {
    const { backend, connector } = setup({ largest: 3 });
    await expect(connector.put(new Uint8Array(4))).rejects.toMatchObject({ code: 'full' });
    const replies = await connector.putBatch([bytes, new Uint8Array(4), bytes]);
    expect(replies.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(backend.objects.size).toBe(2);
  });

  it('is closed when what was under way, and what was undone, is over', async () => {
    const { clock, backend, connector } = setup();
    const [writes, removes] = [gate(), gate()];
    backend.hold = writes.opened;
    backend.removal = removes.opened;
    const kept = connector.put(bytes);
    const left = connector.put(bytes, { timeout: 5 }).catch(() => 'left');
    const closing = connector.close();
    await clock.pass(5);
    expect([await left, backend.closed]).toEqual(['left', false]);
    writes.open();
    expect(await kept).toMatch(/^it\./);
    await clock.settle();
    expect([backend.closed, backend.objects.size]).toEqual([false, 2]);
    removes.open();
    await closing;
    expect([backend.closed, backend.objects.size]).toEqual([true, 1]);
  });

  it.each(['', 'a b', 'a.b', 'a:b', 'x'.repeat(33)])('refuses the name %j', (name) => {
    expect(() => setup({ name })).toThrow(expect.objectContaining({ code: 'bad_options' }));
  });
});
