import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { up } from '../test/up.ts';
import type { Caller } from './verbs.ts';
import { verbsOf } from './verbs.ts';

/** The verbs over a caller that writes down what it is asked for. */
function recorded(): { jobs: Record<string, (args?: unknown) => unknown>; asked: string[] } {
  const asked: string[] = [];
  const ask = (job: string): never => {
    asked.push(job);
    return Promise.resolve(undefined) as never;
  };
  const caller: Caller = { call: ask, stream: ask, scatter: ask, reduce: ask };
  return { jobs: verbsOf(caller) as Record<string, (args?: unknown) => unknown>, asked };
}

describe('what the language and its tools ask of any value is no job', () => {
  it.each<[string, (jobs: object) => unknown]>([
    ['JSON.stringify', (jobs) => JSON.stringify({ jobs })],
    ['util.inspect', (jobs) => inspect(jobs)],
    ['util.inspect with proxies shown', (jobs) => inspect(jobs, { showProxy: true })],
    ['a template', (jobs) => `of ${jobs as unknown as string}`],
    ['a sum', (jobs) => (jobs as unknown as number) + 1],
    ['await', async (jobs) => jobs],
    ['a spread', (jobs) => ({ ...jobs })],
    ['a comparison of a test', (jobs) => expect(jobs).not.toEqual({ a: 1 })],
    ['structuredClone', (jobs) => expect(() => structuredClone(jobs)).toThrow(/could not be cloned/)],
    ['instanceof', (jobs) => jobs instanceof Map],
    ['an error about it', (jobs) => inspect(new Error('x', { cause: jobs }))],
  ])('%s', async (_what, use) => {
    const { jobs, asked } = recorded();
    await use(jobs);
    expect(asked).toEqual([]);
  });

  it.each([
    'then',
    'toJSON',
    'inspect',
    'toString',
    'valueOf',
    'constructor',
    '__proto__',
    'asymmetricMatch',
    '$$typeof',
  ])('%s calls nothing', (name) => {
    const { jobs, asked } = recorded();
    const found = jobs[name];
    if (typeof found === 'function') Reflect.apply(found, jobs, []);
    expect(asked).toEqual([]);
  });

  it('and a handle as a whole can be printed and stringified', async () => {
    const { world, cluster } = await up(['w1']);
    JSON.stringify(cluster);
    inspect(cluster, { depth: 5, showProxy: true });
    expect(await Promise.resolve(cluster)).toBe(cluster);
    await world.clock.pass(1_000);
    expect(world.started).toEqual([]);
  });

  it('but every other name is', () => {
    const { jobs, asked } = recorded();
    for (const name of ['add', 'name', 'length', 'call', 'catch', 'next', 'a b']) void jobs[name]?.(1);
    expect(asked).toEqual(['add', 'name', 'length', 'call', 'catch', 'next', 'a b']);
  });
});
