import { describe, expect, it } from 'vitest';
import { nearOf, prefixOf, usualGroup } from './own-file.ts';

const first = { sku: 'A-17', name: 'lamp', price: 40 };

describe('a question about the own file', () => {
  it('is near the number that the first row has, when nothing is said', () => {
    expect(nearOf(undefined, 'sku', [first])?.measure).toEqual({ by: 'value', field: 'price', value: 40 });
  });

  it('is left out where no field of the first row is a number', () => {
    expect(nearOf(undefined, 'sku', [{ sku: 'A' }])).toBeUndefined();
  });

  it('is near a number in the key, or in the field that is named', () => {
    expect(nearOf('7', 'id', [{ ...first, id: 1 }])?.measure).toEqual({ by: 'value', field: 'id', value: 7 });
    expect(nearOf('price=-7.5', 'sku', [first])?.measure).toEqual({ by: 'value', field: 'price', value: -7.5 });
  });

  it.each(['price=', 'cheap', 'price=cheap'])('near "%s" is refused with a sentence', (text) => {
    expect(() => nearOf(text, 'sku', [first])).toThrow(
      `--near takes a number or FIELD=NUMBER, not "${text}"; there are numbers in price.`,
    );
  });

  it('near a text is refused, with the fields that have numbers', () => {
    expect(() => nearOf('name=3', 'sku', [first])).toThrow(
      '--near: no row has a number in the field "name"; there are numbers in price.',
    );
    expect(() => nearOf('3', 'sku', [{ sku: 'A' }])).toThrow('there is no number in any field.');
  });

  it('groups by the text that repeats most, when nothing is said', () => {
    const rows = [
      { sku: 'A', name: 'lamp', kind: 'light' },
      { sku: 'B', name: 'bulb', kind: 'light' },
    ];
    expect(usualGroup(rows, 'sku')).toBe('kind');
    expect(usualGroup([{ sku: 'A', price: 1 }], 'sku')).toBe('sku');
  });

  it('looks for a prefix in the key, or in the field that is named', () => {
    expect(prefixOf('A-', 'sku', first)).toEqual({ field: 'sku', text: 'A-' });
    expect(prefixOf('name=la', 'sku', first)).toEqual({ field: 'name', text: 'la' });
    expect(prefixOf(undefined, 'sku', first)).toEqual({ field: 'sku', text: 'A' });
  });
});
