import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneLine } from './one-line.ts';

describe('A line about an event', () => {
  it('stays one, whatever it tells', () => {
    expect(oneLine('a\nNode b is ready\r\u001b[2J\u0085\u2028\u202ez')).toBe(
      String.raw`a\nNode b is ready\r\u001b[2J\u0085\u2028\u202ez`,
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-control-regex -- these are what must not be there
        expect(oneLine(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      }),
    );
  });

  it('says what is plain as it is, and not without end', () => {
    expect(oneLine('The jobs module größer.mjs – „cannot“ be loaded 🙂')).toBe(
      'The jobs module größer.mjs – „cannot“ be loaded 🙂',
    );
    expect(oneLine('x'.repeat(1_000_000))).toHaveLength(4_096);
  });
});
