import { ClusterError, ValueCodec } from '@muster/rexi';
import { virtualClock } from '@muster/rexi/testing';
import { isObjectRef, ObjectRef } from '@muster/store';
import { describe, expect, it } from 'vitest';
import { FunctionTask } from './function-task.ts';
import type { Host } from './host.ts';
import { Turn } from './turn.ts';
import type { FromExecutor } from './words.ts';

const codec = new ValueCodec({
  refs: { encode: (value) => (isObjectRef(value) ? value.key : undefined), decode: (key) => new ObjectRef(key) },
});
const key = 'muster:kept';

interface Run {
  readonly said: FromExecutor[];
  /** What was kept in the store. */
  readonly kept: unknown[];
}

/** Runs a function to its end; `full`: the store takes nothing. */
async function run(value: unknown, inlineUpTo: number | undefined, full = false): Promise<Run> {
  const clock = virtualClock();
  const said: FromExecutor[] = [];
  const kept: unknown[] = [];
  const host = {
    clock,
    turn: new Turn(clock),
    codec,
    send: (word: FromExecutor) => said.push(word),
    inside: (_task: unknown, work: () => unknown) => work(),
    as: (_task: unknown, work: () => unknown) => work(),
    ended: () => undefined,
    store: {
      put: async (one: unknown) => {
        if (full) throw new ClusterError('not_serializable', 'The value at result is not serializable.');
        kept.push(one);
        return new ObjectRef(key);
      },
    },
  } as unknown as Host;
  const nothing = new Uint8Array(0);
  const word = { type: 'run', task: 1, alone: true, inlineUpTo, timeLeft: -1, job: 'j', ref: 'r' } as const;
  const job = { name: 'j', stream: false, isolation: 'exclusive', lane: 'l', schema: undefined, run: () => value };
  new FunctionTask({
    host,
    word: { ...word, shard: nothing, args: nothing },
    job: job as never,
    args: undefined,
  }).begin();
  await clock.settle();
  return { said, kept };
}

/** What it has replied with: a value, or a reference as its key. */
function replied({ said }: Run): unknown {
  const [word] = said;
  if (word?.type !== 'reply') return word;
  const value = codec.unpack(word.value);
  return isObjectRef(value) ? value.key : value;
}

const text = 'x'.repeat(100);
const size = codec.pack(text).length;

describe('the value of a function', () => {
  it('comes as it is, whatever its size, unless something else was asked for', async () => {
    expect(replied(await run(text, undefined))).toBe(text);
  });

  it('stays, and its key comes, where all are to stay', async () => {
    const done = await run('', 0);
    expect([replied(done), done.kept]).toEqual([key, ['']]);
  });

  it('stays when it has one packed byte more than may come, and comes when it has not', async () => {
    const [comes, stays] = [await run(text, size), await run(text, size - 1)];
    expect([replied(comes), comes.kept]).toEqual([text, []]);
    expect([replied(stays), stays.kept]).toEqual([key, [text]]);
  });

  it('stays when it is more than any message can carry, up to which it may come', async () => {
    const large = Buffer.alloc(codec.limits.bytes);
    const done = await run(large, codec.limits.bytes);
    expect([replied(done), done.kept.length, done.kept[0] === large]).toEqual([key, 1, true]);
  });

  it('that is a reference comes, whatever it refers to', async () => {
    expect(replied(await run(new ObjectRef('muster:own'), 5))).toBe('muster:own');
  });

  it('that comes brings the references in it along', async () => {
    const { said } = await run([new ObjectRef('muster:own')], 1_000);
    expect(said).toMatchObject([{ type: 'reply', keys: ['muster:own'] }]);
  });

  it('that neither comes nor can be kept fails as one that is to be kept does', async () => {
    const { said } = await run(text, 5, true);
    expect(said).toMatchObject([{ type: 'failed', code: 'not_serializable' }]);
  });
});
