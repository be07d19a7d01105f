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
    const table = loadJobs(Object.assign(Object.create({ inherited: bare }), { bare }) as object);
    for (const name of ['inherited', 'constructor', '__proto__', 'toString']) expect(table.get(name)).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', 'toString', 'then', 'toJSON', 'inspect', 'asymmetricMatch', '$$typeof'])(
    'refuses the name %s, which no caller could use',
    (name) => {
      const namespace = Object.defineProperty({}, name, { value: bare, enumerable: true });
      expect(() => loadJobs(namespace)).toThrow(
        `"${name}" cannot be the name of a job: every value may be asked for it`,
      );
    },
  );

  it.each(['', 'x'.repeat(129)])('refuses the name "%s", which no message could say', (name) => {
    expect(() => loadJobs({ [name]: bare })).toThrow(/cannot be the name of a job: one has 1 to 128 bytes/);
  });

  it('leaves what is no job alone under any name', () => {
    expect([...loadJobs({ inspect: 1, toJSON: class {}, bare }).keys()]).toEqual(['bare']);
  });

  it.each<[string, unknown]>([
    ['a function', bare],
    ['a described job', job({ run: bare })],
    ['a number', 1],
    ['nothing', null],
    ['a class', class {}],
    ['a function, compiled to CommonJS', { __esModule: true, default: bare, bare }],
  ])('refuses a default export: %s', (_what, exported) => {
    expect(() => loadJobs({ default: exported, bare })).toThrow(/has a default export; jobs are exported by name/);
  });

  it.each([{}, { default: {} }, { limit: 5 }])('refuses a module without a job', (namespace) => {
    expect(() => loadJobs(namespace)).toThrow(/exports no job; export async functions or async generators by name/);
  });

  it('refuses a plain generator and an isolation that there is not', () => {
    expect(() => loadJobs({ *plain() {} })).toThrow(/async function\*/);
    expect(() => loadJobs({ odd: job({ isolation: 'alone' as 'shared', run: bare }) })).toThrow(/"alone"/);
  });

  it('finds the jobs of a CommonJS module in its default export', () => {
    expect([...loadJobs({ default: { bare, rows }, bare, 'module.exports': {} }).keys()]).toEqual(['bare', 'rows']);
    const compiled = { __esModule: true, bare };
    expect([...loadJobs({ default: compiled, __esModule: true }).keys()]).toEqual(['bare']);
    const itself: Record<string, unknown> = { bare };
    expect([...loadJobs({ default: Object.assign(itself, { default: itself }) }).keys()]).toEqual(['bare']);
  });
});
