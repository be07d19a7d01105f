import type { ClusterError, Trace } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { InProcess } from '../test/in-process.ts';
import { up } from '../test/up.ts';
import type { NoticeSource } from './request.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${id}-00f067aa0ba902b7-01`;
const trace = { traceparent, tracestate: 'a=b', correlationId: 'order 4711' };
const child = {
  ...trace,
  traceparent: expect.stringMatching(`^00-${id}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`) as string,
};

function traces(world: InProcess): (Trace | undefined)[] {
  return world.everyNode.flatMap(({ executors }) => executors.started.map((task) => task.trace));
}

async function failure(world: InProcess, promise: Promise<unknown>): Promise<ClusterError> {
  return world.run(promise.catch((error: unknown) => error)) as Promise<ClusterError>;
}

describe('a trace', () => {
  it('that a request has is told to its job, as a child of it', async () => {
    const { world, cluster } = await up(['w1']);
    await world.run(cluster.call('answer', 1, { trace }));
    expect(traces(world)).toEqual([child]);
  });

  it('that a request has not is none, and nothing is made up', async () => {
    const { world, cluster } = await up(['w1']);
    await world.run(cluster.call('answer', 1));
    await world.run(cluster.call('answer', 1, { trace: {} }));
    expect(traces(world)).toEqual([undefined, undefined]);
  });

  it('may be a correlation id alone', async () => {
    const { world, cluster } = await up(['w1']);
    await world.run(cluster.call('answer', 1, { trace: { correlationId: 'x' } }));
    expect(traces(world)).toEqual([{ correlationId: 'x' }]);
  });

  it('of a scatter is one with another span for each of its casts', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    await world.run(cluster.scatter('count', {}, { trace }).toArray());
    await world.run(cluster.scatter('count', {}, { trace }).toArray());
    const all = traces(world);
    expect(all).toEqual([child, child, child, child]);
    expect(new Set(all.map((one) => one?.traceparent)).size).toBe(4);
  });

  it('comes with progress and with lines, beside whose they are', async () => {
    const { world, cluster } = await up(['w1']);
    const heard: NoticeSource[] = [];
    const hear = (_value: unknown, _part: unknown, from: NoticeSource): void => void heard.push(from);
    await world.run(cluster.call('telling', undefined, { trace, onProgress: hear, onLog: hear }));
    const from = { ref: world.started[0], node: 'w1', trace: traces(world)[0] };
    expect(heard).toEqual([from, from]);
    expect(from.trace).toEqual(child);
  });

  it('is in the error of a job that throws, with the span that the job had', async () => {
    const { world, cluster } = await up(['w1']);
    const error = await failure(world, cluster.call('throws', undefined, { trace }));
    expect(error).toMatchObject({ code: 'job_failed', trace: child, cause: { message: 'boom' } });
    expect(error.trace).toEqual(traces(world)[0]);
  });

  it('is in the error of a node that is lost, and of a job that falls silent', async () => {
    const { world, cluster } = await up(['w1']);
    const silent = failure(world, cluster.call('hang', undefined, { trace, messageTimeout: 500 }));
    expect(await silent).toMatchObject({ code: 'timeout', trace: child });
    const lost = failure(world, cluster.call('hang', undefined, { trace, timeout: 60_000 }));
    await world.clock.pass(100);
    await world.nodes.get('w1')?.crash();
    expect(await lost).toMatchObject({ code: 'down', trace: child });
  });

  it('is in errors that are about no cast as the caller has given it', async () => {
    const { world, cluster } = await up(['w1']);
    expect(await failure(world, cluster.call('hang', undefined, { trace, timeout: 300 }))).toMatchObject({
      code: 'deadline',
      trace,
    });
    const signal = AbortSignal.abort();
    expect(await failure(world, cluster.call('hang', undefined, { trace, signal }))).toMatchObject({ trace });
    const scattered = cluster.scatter('throws', undefined, { trace }).toArray();
    expect(await failure(world, scattered)).toMatchObject({
      code: 'incomplete',
      trace,
      parts: [{ error: { trace: child } }],
    });
  });
});
