import type { JobContext } from '@muster/worker';
import { job } from '@muster/worker';
import type { ObjectRef } from '@muster/store';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type { Cluster } from './cluster.ts';
import type { Shard } from './request.ts';
import type { RowStream } from './row-stream.ts';
import type { Wire } from './typed.ts';

class Account {
  readonly owner = 'me';
  pay(): void {}
}

const jobs = {
  // Bare functions and generators.
  add: async ({ a, b }: { a: number; b: number }): Promise<number> => a + b,
  now: async (): Promise<Date> => new Date(0),
  greet: (name: string, ctx: JobContext): string => `${ctx.node}: ${name}`,
  maybe: async (args?: { deep: boolean }): Promise<boolean> => args?.deep ?? false,
  async *count({ upTo }: { upTo: number }): AsyncGenerator<number, void> {
    yield upTo;
  },
  async *everything(): AsyncGenerator<{ id: number; at: Date; tags: Set<string> }> {},
  keep: async (_args: undefined, ctx: JobContext): Promise<ObjectRef<{ big: string }>> => ctx.store.put({ big: '' }),
  account: async (): Promise<Account> => new Account(),
  withCallback: async (_args: { done: () => void }): Promise<void> => {},
  withView: async (_args: { view: DataView }): Promise<DataView> => new DataView(new ArrayBuffer(1)),
  withShared: async (_args: { memory: SharedArrayBuffer }): Promise<void> => {},
  withBytes: async (_args: { bytes: Float32Array; all: ArrayBuffer }): Promise<Uint8Array> => Uint8Array.of(1),
  anything: async (args: unknown): Promise<unknown> => args,

  quiet: async (_args: { loud: boolean }): Promise<void> => {},

  // Made by job().
  described: job({ lane: 'slow', run: async ({ name }: { name: string }) => name.length }),
  checked: job({
    args: z.object({ at: z.string().transform((text) => new Date(text)) }),
    run: async ({ at }) => at.getTime(),
  }),
  defaulted: job({ args: z.object({ top: z.number().default(10) }), run: async ({ top }) => top }),
  rows: job({
    args: z.object({ land: z.string() }),
    isolation: 'exclusive',
    async *run({ land }) {
      yield { land, size: 1 };
    },
  }),

  // Every value may be asked for these.
  toJSON: async (): Promise<number> => 1,
  inspect: async (): Promise<number> => 1,
  valueOf: async (): Promise<number> => 1,

  // Not jobs.
  version: 3,
};

/** Never called: what compiles here, and what does not, is the test. */
export async function check({ jobs: j }: Cluster<typeof jobs>): Promise<void> {
  // Arguments and values come from the module.
  expectTypeOf(j.add({ a: 1, b: 2 })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(j.now()).toEqualTypeOf<Promise<Date>>();
  expectTypeOf(j.quiet({ loud: false })).toEqualTypeOf<Promise<undefined>>();
  expectTypeOf(j.greet('x')).toEqualTypeOf<Promise<string>>();
  expectTypeOf(j.maybe()).toEqualTypeOf<Promise<boolean>>();
  expectTypeOf(j.maybe({ deep: true }, { timeout: 1 })).toEqualTypeOf<Promise<boolean>>();
  expectTypeOf(j.keep(undefined, { result: 'key' })).toEqualTypeOf<Promise<ObjectRef<{ big: string }>>>();
  expectTypeOf(j.anything({ what: 'ever' })).toEqualTypeOf<Promise<unknown>>();
  expectTypeOf(j.add.scatter({ a: 1, b: 2 })).toEqualTypeOf<RowStream<number>>();
  expectTypeOf(
    j.add.reduce({ a: 1, b: 2 }, { initial: '', reduce: (text, value) => text + value.toFixed(1) }),
  ).toEqualTypeOf<Promise<string>>();

  // So do rows.
  expectTypeOf(j.count.stream({ upTo: 3 })).toEqualTypeOf<RowStream<number>>();
  expectTypeOf(j.count.scatter({ upTo: 3 }, { merge: {} })).toEqualTypeOf<RowStream<number>>();
  expectTypeOf(j.everything.scatter(undefined, { merge: { by: 'id', direction: 'desc' } })).toEqualTypeOf(
    j.everything.stream(),
  );
  expectTypeOf(j.maybe(undefined, { node: 'w1' })).toEqualTypeOf(j.maybe(undefined, { shard: 1 }));
  expectTypeOf(j.everything.stream()).toEqualTypeOf<RowStream<{ id: number; at: Date; tags: Set<string> }>>();
  void j.everything.scatter(undefined, { merge: { by: 'id' } });
  for await (const row of j.rows.stream({ land: 'x' }))
    expectTypeOf(row).toEqualTypeOf<{ land: string; size: number }>();

  // A schema's input is what callers pass, its output what run gets.
  expectTypeOf(j.described({ name: 'x' })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(j.checked({ at: '2020-01-01' })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(j.defaulted({})).toEqualTypeOf<Promise<number>>();

  // @ts-expect-error -- no such job
  void j.nobody();
  // @ts-expect-error -- a wrong argument
  void j.add({ a: 1, b: '2' });
  // @ts-expect-error -- a missing argument
  void j.add({ a: 1 });
  // @ts-expect-error -- arguments that are needed
  void j.add();
  // @ts-expect-error -- what run gets is not what callers pass
  void j.checked({ at: new Date(0) });
  // @ts-expect-error -- a wrong argument of a job made by job()
  void j.described({ name: 3 });
  // @ts-expect-error -- a wrong argument of a generator made by job()
  void j.rows.stream({ land: 3 });
  // @ts-expect-error -- a function cannot travel
  void j.withCallback({ done: () => undefined });
  // @ts-expect-error -- a DataView cannot travel
  void j.withView({ view: new DataView(new ArrayBuffer(1)) });
  // @ts-expect-error -- memory cannot be shared with another machine
  void j.withShared({ memory: new SharedArrayBuffer(1) });
  // @ts-expect-error -- nor is shared memory taken for any other
  void j.withBytes({ bytes: new Float32Array(1), all: new SharedArrayBuffer(1) });
  expectTypeOf(
    j.withBytes({ bytes: new Float32Array(1), all: new ArrayBuffer(1) }),
  ).resolves.toEqualTypeOf<Uint8Array>();
  // @ts-expect-error -- a function job yields no rows
  void j.add.stream({ a: 1, b: 2 });
  // @ts-expect-error -- a generator is not called
  void j.count({ upTo: 3 });
  // @ts-expect-error -- a generator made by job() is not called
  void j.rows({ land: 'x' });
  // @ts-expect-error -- a wrong option
  void j.add({ a: 1, b: 2 }, { timeOut: 1 });
  // @ts-expect-error -- a shard has nodes of its own
  void j.add({ a: 1, b: 2 }, { shard: 1, node: 'w1' });
  // @ts-expect-error -- a shard has nodes of its own
  void j.count.stream({ upTo: 3 }, { shard: 1, node: 'w1' });
  // @ts-expect-error -- an order is one of the two
  void j.everything.scatter(undefined, { merge: { by: 'id', compare: (a, b) => a.id - b.id } });
  // @ts-expect-error -- an order is an object
  void j.everything.scatter(undefined, { merge: 'id' });
  // @ts-expect-error -- there is nothing to be over but shards, nodes and a list of shards
  void j.everything.scatter(undefined, { over: 'node' });
  // @ts-expect-error -- what it begins with is missing
  void j.add.reduce({ a: 1, b: 2 }, { reduce: (sum: number, value) => sum + value });
  // @ts-expect-error -- a fold has no order
  void j.add.reduce({ a: 1, b: 2 }, { initial: 0, reduce: (sum: number, value) => sum + value, limit: 1 });
  // @ts-expect-error -- rows have no such field to merge by
  void j.everything.scatter(undefined, { merge: { by: 'name' } });
  // @ts-expect-error -- what JSON asks of every value
  void j.toJSON();
  // @ts-expect-error -- what printing asks of some values
  void j.inspect();
  expectTypeOf(j.valueOf()).not.toEqualTypeOf<Promise<number>>();
  // @ts-expect-error -- a number is no job
  void j.version();

  // By key, what comes back is a reference.
  expectTypeOf(await j.add({ a: 1, b: 2 }, { result: 'key' })).toEqualTypeOf<ObjectRef<number>>();
  expectTypeOf(await j.add({ a: 1, b: 2 }, { result: 'value' })).toEqualTypeOf<number>();
  // By size, what comes back is one of both.
  expectTypeOf(await j.add({ a: 1, b: 2 }, { result: { inlineUpTo: 100 } })).toEqualTypeOf<
    number | ObjectRef<number>
  >();
  expectTypeOf(await j.keep(undefined, { result: { inlineUpTo: 100 } })).toEqualTypeOf<ObjectRef<{ big: string }>>();
  // @ts-expect-error -- how large is missing
  void j.add({ a: 1, b: 2 }, { result: {} });
  // @ts-expect-error -- the value may be a reference
  void (await j.add({ a: 1, b: 2 }, { result: { inlineUpTo: 100 } })).toFixed();
  // @ts-expect-error -- rows come as rows
  void j.count.stream({ upTo: 3 }, { result: { inlineUpTo: 100 } });

  // What a request is done for.
  void j.add({ a: 1, b: 2 }, { trace: { traceparent: 'x', tracestate: undefined, correlationId: 'y' } });
  // @ts-expect-error -- a correlation id is a text
  void j.add({ a: 1, b: 2 }, { trace: { correlationId: 4711 } });
  void j.count.stream({ upTo: 3 }, { onProgress: (_value, _part, from) => from.trace?.traceparent?.length });

  // What cannot travel does not arrive.
  const account = await j.account();
  expectTypeOf(account.owner).toEqualTypeOf<string>();
  // @ts-expect-error -- a method does not travel
  account.pay();
}

/** What a node can be asked. */
export async function checkQuestions(cluster: Cluster): Promise<void> {
  void cluster.request('a', 'stats');
  // @ts-expect-error -- no such question
  void cluster.request('a', 'stat');
}

/** Values as they arrive. */
export function checkWire(): void {
  expectTypeOf<Wire<{ a: Date; b: Map<string, Error>; c: Uint8Array; d?: bigint }>>().toEqualTypeOf<{
    a: Date;
    b: Map<string, Error>;
    c: Uint8Array;
    d?: bigint;
  }>();
  expectTypeOf<Wire<{ f: () => void; p: Promise<number>; s: symbol }>>().toEqualTypeOf<{
    f: never;
    p: never;
    s: never;
  }>();
  expectTypeOf<Wire<[number, { x: () => void }]>>().toEqualTypeOf<[number, { x: never }]>();
  expectTypeOf<Wire<{ v: DataView; m: SharedArrayBuffer; i: BigInt64Array; b: Buffer }>>().toEqualTypeOf<{
    v: never;
    m: never;
    i: BigInt64Array;
    b: Buffer;
  }>();
  expectTypeOf<Wire<unknown>>().toEqualTypeOf<unknown>();
}

// What a map says of a shard's range is what its jobs are told.
expectTypeOf<Shard['range']>().toEqualTypeOf<NonNullable<JobContext['shard']>['range']>();
