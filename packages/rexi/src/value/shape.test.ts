import { describe, expect, test } from 'vitest';
import { Shapes } from './shape.ts';
import { ValueCodec } from './value-codec.ts';

describe('shapes', () => {
  test('are the same for the same keys in the same order', () => {
    const shapes = new Shapes();
    expect(shapes.of({ a: 1, b: 2 })).toBe(shapes.of({ a: 3, b: 4 }));
    expect(shapes.of({ b: 1, a: 2 })).not.toBe(shapes.of({ a: 1, b: 2 }));
    expect(shapes.of({ a: 1 })).not.toBe(shapes.of({ a: 1, b: 2 }));
  });

  test('of more keys than a record has, or of one that the encoder needs, are no records', () => {
    const shapes = new Shapes();
    const keys = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]));
    expect(shapes.of(keys(64)).record).toBe(true);
    expect(shapes.of(keys(65)).record).toBe(false);
    expect(shapes.of({ __keys__: 1, a: 1 }).record).toBe(false);
  });

  test('are forgotten when there are too many, since then they tell nothing', () => {
    const shapes = new Shapes();
    const first = shapes.of({ a: 1 });
    for (let index = 0; index < 4095; index++) shapes.of({ [`k${index}`]: 1 });
    expect(shapes.of({ a: 1 })).toBe(first);
    shapes.of({ another: 1 });
    expect(shapes.of({ a: 1 })).not.toBe(first);
  });

  test('are counted once a message, however many objects have them', () => {
    const codec = new ValueCodec();
    const row = (): unknown => ({ id: 1, places: [{ x: 1 }, { x: 2 }, { x: 3 }] });
    const snapshots = Array.from({ length: 100 }, () => codec.snapshot(row()));
    expect(snapshots[0]!.shapes).toHaveLength(2);
    expect(codec.packRows(snapshots)[0]).toBe(0x10);
    expect(codec.snapshot(Array.from({ length: 100 }, (_, index) => ({ [`k${index}`]: 1 }))).shapes).toHaveLength(65);
  });
});
