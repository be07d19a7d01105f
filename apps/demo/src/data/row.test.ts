import { describe, expect, it } from 'vitest';
import { distanceOf, textIn } from './row.ts';

const zurich = { lat: 47.3769, lon: 8.5417 };

describe('a distance', () => {
  it('is in kilometres along the globe', () => {
    const toBern = distanceOf({ lat: 46.948, lon: 7.4474 }, { by: 'point', ...zurich });
    expect(toBern).toBeCloseTo(95.5, 0);
  });

  it('crosses the date line the short way', () => {
    const across = distanceOf({ lat: 0, lon: 179.5 }, { by: 'point', lat: 0, lon: -179.5 });
    expect(across).toBeCloseTo(111.2, 0);
  });

  it('is a difference along a numeric field', () => {
    expect(distanceOf({ price: 7 }, { by: 'value', field: 'price', value: 10 })).toBe(3);
  });

  it.each([{ price: '7' }, { price: Number.NaN }, {}])('is unknown for %j, which has no number there', (row) => {
    expect(distanceOf(row, { by: 'value', field: 'price', value: 10 })).toBeUndefined();
  });
});

it('a field reads as text, whatever it holds', () => {
  const row = { name: 'Bern', id: 7, tags: ['a'], none: null };
  expect(['name', 'id', 'tags', 'none', 'missing'].map((field) => textIn(row, field))).toEqual([
    'Bern',
    '7',
    '["a"]',
    '',
    '',
  ]);
});
