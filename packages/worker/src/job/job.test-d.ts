import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type { JobContext } from './context.ts';
import type { InputOf, ResultOf, RowOf } from './job.ts';
import { job } from './job.ts';

const checked = job({
  args: z.object({ land: z.string(), limit: z.coerce.number<string>() }),
  run: async ({ land, limit }) => ({ land, twice: limit * 2 }),
});
expectTypeOf<InputOf<typeof checked>>().toEqualTypeOf<{ land: string; limit: string }>();
expectTypeOf<ResultOf<typeof checked>>().toEqualTypeOf<{ land: string; twice: number }>();
expectTypeOf<RowOf<typeof checked>>().toBeNever();

const stream = job({
  async *run({ from }: { from: number }, ctx): AsyncGenerator<number, 'end'> {
    expectTypeOf(ctx).toEqualTypeOf<JobContext>();
    yield from;
    return 'end';
  },
});
expectTypeOf<InputOf<typeof stream>>().toEqualTypeOf<{ from: number }>();
expectTypeOf<RowOf<typeof stream>>().toEqualTypeOf<number>();
expectTypeOf<ResultOf<typeof stream>>().toEqualTypeOf<'end'>();

async function bare({ id }: { id: string }, ctx: JobContext): Promise<number> {
  return id.length + ctx.node.length;
}
expectTypeOf<InputOf<typeof bare>>().toEqualTypeOf<{ id: string }>();
expectTypeOf<ResultOf<typeof bare>>().toEqualTypeOf<number>();

async function nothing(): Promise<void> {}
expectTypeOf<InputOf<typeof nothing>>().toBeUnknown();
