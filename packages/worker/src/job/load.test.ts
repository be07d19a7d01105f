import { describe, expect, it } from 'vitest';
import { job } from './job.ts';
import { loadJobs } from './load.ts';

async function bare(): Promise<number> {
  return 1;
}
async function* rows(): AsyncGenerator<number> {
  yield 1;
}

describe('loading a jobs module', () => {
  it('takes bare functions and generators, and what job() has made', () => {
    const described = job({ isolation: 'shared', lane: 'io', run: bare });
    const table = loadJobs({ bare, rows, described });
    expect([...table.values()].map(({ name, stream, isolation, lane }) => [name, stream, isolation, lane])).toEqual([
      ['bare', false, 'exclusive', 'default'],
      ['rows', true, 'shared', 'default'],
      ['described', false, 'shared', 'io'],
    ]);
  });

  it('leaves classes and plain values alone', () => {
    class Helper {}
    expect([...loadJobs({ Helper, limit: 5, names: ['a'], bare }).keys()]).toEqual(['bare']);
  });

  it('takes own exports only, so that no name of Object.prototype is a job', () => {
    const table = loadJobs(Object.create({ inherited: bare }) as object);
    for (const name of ['inherited', 'constructor', '__proto__', 'toString']) expect(table.get(name)).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', 'then', 'x'.repeat(129)])('refuses the name %s', (name) => {
    const namespace = Object.defineProperty({}, name, { value: bare, enumerable: true });
    expect(() => loadJobs(namespace)).toThrow(/cannot be the name of a job/);
  });

  it('refuses a default export, a plain generator and an isolation that there is not', () => {
    expect(() => loadJobs({ default: bare })).toThrow(/exported by name/);
    expect(() => loadJobs({ *plain() {} })).toThrow(/async function\*/);
    expect(() => loadJobs({ odd: job({ isolation: 'alone' as 'shared', run: bare }) })).toThrow(/"alone"/);
  });

  it('finds the jobs of a CommonJS module in its default export', () => {
    expect([...loadJobs({ default: { bare, rows }, bare, 'module.exports': {} }).keys()]).toEqual(['bare', 'rows']);
  });
});
