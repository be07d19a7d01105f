import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Facts, Log } from './log.ts';
import { logLevels } from '@muster/rexi';
import { isLogLevel } from './log.ts';
import { pinoLog } from './pino-log.ts';

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

function log(options: Partial<Parameters<typeof pinoLog>[0]> = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const made = pinoLog({
    node: 'a',
    level: 'info',
    json: true,
    now: () => at,
    write: (line) => lines.push(line),
    ...options,
  });
  return { log: made, lines };
}

/** The facts of one line as they are written. */
function written(facts: Facts, message = 'said'): Record<string, unknown> {
  const { log: to, lines } = log();
  to.write('info', message, facts);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

describe('a line of the log', () => {
  it('is one JSON object that says when, how grave, and at which node', () => {
    expect(written({ job: 'count', ref: 'r-1', files: 3 })).toEqual({
      level: 'info',
      time: at,
      node: 'a',
      msg: 'said',
      job: 'count',
      ref: 'r-1',
      files: 3,
    });
  });

  it('is for people where it is not JSON', () => {
    const { log: to, lines } = log({ json: false });
    to.write('warn', 'not so\ngood', { job: 'count', why: 'a b', fields: { n: 1 }, gone: undefined });
    expect(lines).toEqual([String.raw`03:04:05.006 warn  a: not so\ngood job=count why="a b" fields={"n":1}` + '\n']);
  });

  it.each([true, false])('stays one, and steers no terminal, whatever it says (JSON: %s)', (json) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, name) => {
        const { log: to, lines } = log({ json });
        to.write('info', `${text}\u2028\u009b`, { [name]: text, fields: { [text]: [text] } });
        // oxlint-disable-next-line no-control-regex -- these are what must not be there
        expect(lines.join('').slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
        expect(lines.join('').at(-1)).toBe('\n');
      }),
    );
    const { log: to, lines } = log();
    to.write('info', 'a\u2028b', { x: '\u001b[2J\u0085' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'a\u2028b', x: '\u001b[2J\u0085' });
  });

  it('has no value of more than 2 KiB, and cuts none within a character', () => {
    const { msg, text, fields } = written(
      { text: 'é'.repeat(2_000), fields: { all: ['x'.repeat(1_500), 'y'.repeat(1_500)] } },
      `x${'🙂'.repeat(600)}`,
    );
    expect(msg).toBe(`x${'🙂'.repeat(511)}…`);
    expect(text).toBe(`${'é'.repeat(1_024)}…`);
    expect(fields).toMatch(/^\{"all":\["x{1500}","y+…$/);
    expect(Buffer.byteLength(String(fields))).toBe(2_048 + 3);
    expect(written({ text: 'x'.repeat(2_048) })['text']).toBe('x'.repeat(2_048));
  });

  it('has everything that a job can say as JSON has it', () => {
    const fields = {
      big: 2n ** 70n,
      nan: Number.NaN,
      date: new Date(0),
      never: new Date(Number.NaN),
      bytes: Buffer.from('abc'),
      map: new Map<unknown, unknown>([[1, new Set([true])]]),
      error: Object.assign(new RangeError('oh'), { code: 'E_OH' }),
      deep: { a: { b: { c: { d: { e: { f: 1 } } } } } },
    };
    expect(written({ fields })['fields']).toEqual({
      big: '1180591620717411303424',
      nan: 'NaN',
      date: '1970-01-01T00:00:00.000Z',
      never: 'no date',
      bytes: '[3 bytes]',
      map: { 1: [true] },
      error: { name: 'RangeError', message: 'oh', code: 'E_OH' },
      deep: { a: { b: { c: { d: { e: '[…]' } } } } },
    });
  });

  it('never has a secret: not by the name that it has, and not where it is said', () => {
    const secret = 'tom & "jerry" of the cluster';
    const { log: to, lines } = log({ secrets: [`${secret}\n`] });
    const facts = {
      password: 'p4',
      fields: { list: [{ apiKey: 'k3y', Authorization: ['b4sic'] }], note: `is ${secret}!` },
    };
    to.write('info', `it is ${secret}`, facts);
    const all = lines.join('');
    for (const told of ['p4', 'k3y', 'b4sic', 'jerry']) expect(all).not.toContain(told);
    expect(JSON.parse(all)).toMatchObject({
      msg: 'it is [withheld]',
      password: '[withheld]',
      fields: { note: 'is [withheld]!' },
    });
  });

  it('is not written below the level, which may be changed at any time', () => {
    const { log: to, lines } = log({ level: 'warn' });
    const say = (): void => {
      for (const level of ['error', 'warn', 'info', 'debug'] as const) to.write(level, level);
    };
    say();
    expect(to.level).toBe('warn');
    expect([to.has('warn'), to.has('info')]).toEqual([true, false]);
    to.level = 'debug';
    say();
    to.level = 'silent';
    say();
    const said = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(said).toEqual(['error', 'warn', 'error', 'warn', 'info', 'debug']);
  });
});

it('levels are those that there are', () => {
  expect(logLevels.every(isLogLevel)).toBe(true);
  for (const none of ['trace', 'INFO', '', undefined, 30]) expect(isLogLevel(none)).toBe(false);
});
