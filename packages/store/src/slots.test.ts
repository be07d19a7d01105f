import { describe, expect, it } from 'vitest';
import { Slots } from './slots.ts';

const { signal } = new AbortController();

describe('Slots', () => {
  it('lets so many in at a time, and the rest in order', async () => {
    const slots = new Slots(1);
    const seen: string[] = [];
    const visit = async (name: string): Promise<void> => {
      await slots.take(signal);
      seen.push(name);
      await Promise.resolve();
      seen.push(`${name} leaves`);
      slots.give();
    };
    await Promise.all(['a', 'b', 'c'].map(visit));
    expect(seen).toEqual(['a', 'a leaves', 'b', 'b leaves', 'c', 'c leaves']);
  });

  it('counts a place that is held beyond its number, until it is given back', async () => {
    const slots = new Slots(1);
    await slots.take(signal);
    slots.hold();
    let entered = false;
    const next = slots.take(signal).then(() => (entered = true));
    slots.give();
    await Promise.resolve();
    expect(entered).toBe(false);
    slots.give();
    await next;
    expect(entered).toBe(true);
  });

  it('gives no place to somebody who has left the queue', async () => {
    const slots = new Slots(1);
    await slots.take(signal);
    const control = new AbortController();
    const impatient = slots.take(control.signal);
    control.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    slots.give();
    await slots.take(signal);
    await expect(slots.take(AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  });
});
