import { isObjectRef } from '@muster/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster, NoticeSource } from '@muster/coordinator';
import { Lab } from './harness/lab.ts';

const lab = new Lab();
let cluster: Cluster;
beforeAll(async () => {
  const nodes = await lab.nodes(['a', 'b']);
  cluster = await lab.cluster(nodes.map(({ address }) => address));
});
afterAll(() => lab.close());

const size = (n: number): { readonly size: number } => ({ size: n });

describe('a result that comes up to a size', () => {
  it('comes when it is small, and stays at its node when it is not, until it is fetched', async () => {
    const result = { inlineUpTo: 10_000 };
    const small = await cluster.call('text', size(9_000), { result });
    const large = await cluster.call('text', size(11_000), { result });
    expect(small).toHaveLength(9_000);
    if (!isObjectRef(large)) throw new Error('It came.');
    expect(await large.get()).toHaveLength(11_000);
    await large.drop();
    await expect(large.get()).rejects.toMatchObject({ code: 'evicted' });
  });

  it('never travels when it is larger: one that no message could carry is kept as well', async () => {
    const kept = await cluster.call('text', size(20_000_000), { result: { inlineUpTo: 16_711_680 }, node: 'a' });
    if (!isObjectRef(kept)) throw new Error('It came.');
    const { objects } = (await cluster.request('a', 'stats')) as { objects: { bytes: number } };
    expect(objects.bytes).toBeGreaterThan(20_000_000);
    await kept.drop();
  });
});

describe('a trace', () => {
  const id = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${id}-00f067aa0ba902b7-01`;

  it('is seen by jobs on all nodes, each with a span of its own', async () => {
    const trace = { traceparent, tracestate: 'a=b', correlationId: 'order 4711' };
    const seen = (await cluster.scatter('traced', undefined, { over: 'nodes', trace }).toArray()) as (typeof trace)[];
    expect(seen).toHaveLength(2);
    for (const one of seen) expect(one).toMatchObject({ tracestate: 'a=b', correlationId: 'order 4711' });
    const spans = new Set(seen.map((one) => one.traceparent));
    expect(spans.size).toBe(2);
    for (const span of spans) expect(span).toMatch(new RegExp(`^00-${id}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
  });

  it('is undefined in a job whose caller has none', async () => {
    expect(await cluster.call('traced')).toBeUndefined();
  });

  it('comes back with progress, and with what the job has thrown', async () => {
    const heard: NoticeSource[] = [];
    const call = cluster.call('throwsTraced', undefined, {
      trace: { traceparent },
      node: 'b',
      onProgress: (_value, _part, from) => heard.push(from),
    });
    const error = (await call.catch((thrown: unknown) => thrown)) as { trace: unknown; cause: Error };
    expect(error.trace).toEqual({ traceparent: error.cause.message });
    expect(heard).toMatchObject([{ node: 'b', trace: error.trace }]);
  });

  it('is in the failures that the node remembers', async () => {
    await cluster
      .call('throwsTraced', undefined, { trace: { correlationId: 'mine' }, node: 'b' })
      .catch(() => undefined);
    expect(await cluster.request('b', 'errors')).toMatchObject([{ trace: { correlationId: 'mine' } }, {}]);
  });
});
