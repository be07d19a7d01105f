import { ValueCodec } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { ClusterNode } from './node.ts';
import { Parts } from './parts.ts';
import { shardMap } from './options.ts';

const codec = new ValueCodec();
const shards = shardMap([
  { id: 'a', nodes: ['n1', 'n2', 'n3'], range: [0, 9] },
  { id: 'b', nodes: ['n2'] },
]);

function parts(...nodes: { name: string; load?: number; state?: string }[]): Parts {
  return new Parts(
    shards,
    codec,
    () => nodes.map((node) => ({ load: 0, state: 'up', ...node })) as unknown as ClusterNode[],
  );
}

describe('the parts of a request', () => {
  it('go to nodes that are up first, and among them to the less loaded', () => {
    const some = parts({ name: 'n1', state: 'suspect' }, { name: 'n2', load: 5 }, { name: 'n3', load: 1 });
    expect(some.one({}).nodes).toEqual(['n3', 'n2', 'n1']);
    expect(some.one({ shard: 'a' }).nodes).toEqual(['n3', 'n2', 'n1']);
  });

  it('take turns among nodes that are equal', () => {
    const equal = parts({ name: 'n1' }, { name: 'n2' }, { name: 'n3' });
    expect(Array.from({ length: 6 }, () => equal.one({}).nodes[0])).toEqual(['n2', 'n3', 'n1', 'n2', 'n3', 'n1']);
  });

  it('tell the job its shard, and nothing where there is none', () => {
    const some = parts({ name: 'n1' });
    expect(codec.unpack(some.one({ shard: 'a' }).value)).toEqual({ id: 'a', range: [0, 9] });
    expect(some.one({ node: 'n7' })).toEqual({ shard: undefined, value: new Uint8Array(), nodes: ['n7'] });
  });

  it('are the shards where there is a map, the nodes where that is asked for, or some shards', () => {
    const some = parts({ name: 'n1' }, { name: 'n2' });
    expect(some.over(undefined).map(({ shard }) => shard)).toEqual(['a', 'b']);
    expect(some.over('nodes').map(({ nodes }) => nodes)).toEqual([['n1'], ['n2']]);
    expect(some.over(['b']).map(({ shard }) => shard)).toEqual(['b']);
    expect(() => some.over(['z'])).toThrow(expect.objectContaining({ code: 'bad_options' }) as Error);
  });
});
