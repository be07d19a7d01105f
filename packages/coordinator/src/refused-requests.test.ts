import { describe, expect, it } from 'vitest';
import { up } from '../test/up.ts';
import type { Cluster } from './cluster.ts';

const shards = [
  { id: 'a', nodes: ['w1'] },
  { id: 'b', nodes: ['w1'] },
];

/** A request as JavaScript may make it. */
type Ask = (cluster: Cluster) => Promise<unknown>;
const anything = (options: unknown): never => options as never;
const call =
  (options: unknown): Ask =>
  async (cluster) =>
    cluster.call('answer', 1, anything(options));
const stream =
  (options: unknown): Ask =>
  async (cluster) =>
    cluster.stream('count', 1, anything(options)).toArray();
const scatter =
  (options: unknown): Ask =>
  async (cluster) =>
    cluster.scatter('count', 1, anything(options)).toArray();
const reduce =
  (options: unknown): Ask =>
  async (cluster) =>
    cluster.reduce('count', 1, anything(options));
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const sum = { initial: 0, reduce: (a: number, b: number) => a + b };

describe('a request that is asked for wrongly is refused before anything leaves, and told what to do', () => {
  it.each<[string, Ask, RegExp]>([
    ['scattered over shards that nobody has named', scatter({ over: 'shards' }), /no shard map.*shards.*over: 'nodes'/],
    ['scattered over something that there is not', scatter({ over: 'node' }), /over is 'shards', 'nodes' or a list/],
    ['merged by a bare name', scatter({ merge: 'n' }), /merge is an object like \{ by: 'n' \}.*not "n"/],
    ['merged by a bare function', scatter({ merge: () => 0 }), /merge is an object like.*not a function/],
    ['merged by a function where a field is named', scatter({ merge: { by: () => 0 } }), /merge\.by is.*compare/],
    ['merged by nothing at all', scatter({ merge: { by: '' } }), /merge\.by is/],
    ['merged with no comparison', scatter({ merge: { compare: 'n' } }), /merge\.compare is a function/],
    ['merged by two orders', scatter({ merge: { by: 'n', compare: () => 0 } }), /merge\.by and merge\.compare/],
    ['merged in a direction that is none', scatter({ merge: { direction: 'down' } }), /merge\.direction is 'asc' or/],
    ['merged with a slip', scatter({ merge: { bye: 'n' } }), /no option "merge\.bye".*mean "merge\.by"/],
    ['called at a shard and a node', call({ shard: 'a', node: 'w1' }), /shard, the node or the key.*only one/],
    ['streamed from a shard and a node', stream({ shard: 'a', node: 'w1' }), /shard, the node or the key.*only one/],
    ['reduced by nothing', reduce({ initial: 0 }), /reduce is a function/],
    ['reduced from nothing', reduce({ reduce: sum.reduce }), /initial/],
    ['reduced without options', reduce(undefined), /reduce is a function/],
    ['reduced with a limit', reduce({ ...sum, limit: 1 }), /no option "limit" for reduce/],
    ['called with a slip', call({ timeOut: 1 }), /no option "timeOut" for call.*did you mean "timeout"\?.*priority/],
    ['called with an option of a scatter', call({ over: 'nodes' }), /no option "over" for call; there are signal/],
    ['streamed with a slip', stream({ limt: 1 }), /no option "limt" for stream.*did you mean "limit"\?/],
    ['scattered with a slip', scatter({ partail: true }), /did you mean "partial"\?/],
    ['called with a name for options', call('w1'), /options of call are an object, not "w1"/],
    ['called with null', call(null), /options of call are an object, not null/],
    ['called with a signal that is none', call({ signal: new AbortController() }), /signal is an AbortSignal/],
    ['called with a callback that is none', call({ onLog: console }), /onLog is a function/],
    ['called for a result that there is not', call({ result: 'ref' }), /result is 'value', 'key' or \{.*\}, not "ref"/],
    ['called for results of no size', call({ result: {} }), /result\.inlineUpTo is missing/],
    [
      'called for results of half a byte',
      call({ result: { inlineUpTo: 0.5 } }),
      /result\.inlineUpTo is a whole number/,
    ],
    [
      'called for results above any',
      call({ result: { inlineUpTo: 16_711_681 } }),
      /inlineUpTo is .* 0 to 16711680, not/,
    ],
    ['called for results below any', call({ result: { inlineUpTo: -1 } }), /inlineUpTo is .* not -1/],
    ['called for results with a slip', call({ result: { inlineUpto: 1 } }), /did you mean "result\.inlineUpTo"/],
    ['called for a list of results', call({ result: ['key'] }), /result is 'value', 'key' or/],
    ['streamed for results by size', stream({ result: { inlineUpTo: 1 } }), /no option "result" for stream/],
    ['called for a bare trace', call({ trace: traceparent }), /trace is an object, not "00-4bf9/],
    ['called for a trace that is none', call({ trace: { traceparent: 'x' } }), /trace\.traceparent is .*W3C.*not "x"/],
    [
      'streamed for a trace of zeros',
      stream({ trace: { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` } }),
      /trace\.traceparent is/,
    ],
    [
      'scattered for a state of no trace',
      scatter({ trace: { tracestate: 'a=b' } }),
      /tracestate means nothing without/,
    ],
    ['reduced for a bad state', reduce({ ...sum, trace: { traceparent, tracestate: 'a' } }), /trace\.tracestate is a/],
    [
      'called for an id of two lines',
      call({ trace: { correlationId: 'a\nb' } }),
      /correlationId is a text of 1 to 128/,
    ],
    [
      'called for a trace with a slip',
      call({ trace: { traceParent: traceparent } }),
      /did you mean "trace\.traceparent"/,
    ],
    ['called with a text for a time', call({ timeout: '5' }), /timeout is .*milliseconds.*not "5"/],
    ['streamed for half a row', stream({ limit: 0.5 }), /limit is a whole number of rows/],
    ['raced by something else', scatter({ race: 'yes' }), /race is true or false/],
    ['called by no name', async (cluster) => cluster.call(anything(undefined)), /job's name is a text/],
    ['called by a name that is too long', async (cluster) => cluster.call('j'.repeat(129)), /1 to 128 bytes, not 129/],
    [
      'a question that is too long',
      async (cluster) => cluster.request('w1', 'q'.repeat(129) as 'stats'),
      /1 to 128 bytes, not/,
    ],
  ])('%s', async (_which, ask, says) => {
    const { world, cluster } = await up(['w1']);
    const refused = await world.run(ask(cluster).catch((error: unknown) => error));
    expect(refused).toMatchObject({ code: 'bad_options', message: expect.stringMatching(says) as string });
    expect(world.started).toEqual([]);
  });

  it('scattered over the shards of an empty map', async () => {
    const { world, cluster } = await up(['w1'], { shards: [] });
    expect(await world.failure(scatter({ over: 'shards' })(cluster))).toBe('bad_options');
  });

  it('scattered over a shard twice', async () => {
    const { world, cluster } = await up(['w1'], { shards });
    const refused = await world.run(scatter({ over: ['a', 'a'] })(cluster).catch((error: unknown) => error));
    expect(refused).toMatchObject({
      code: 'bad_options',
      message: expect.stringMatching(/names shard a twice/) as string,
    });
  });

  it('but options that are absent or undefined say nothing', async () => {
    const { world, cluster } = await up(['w1'], { shards });
    const blank = anything({ timeout: undefined, shard: undefined, node: 'w1', signal: undefined, result: undefined });
    expect(await world.run(cluster.call('answer', 1, blank))).toBe(1);
    expect(await world.run(cluster.reduce('count', {}, { initial: 0, reduce: (n: number) => n + 1 }))).toBe(6);
  });
});
