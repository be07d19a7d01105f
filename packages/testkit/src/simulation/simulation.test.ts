import { describe, expect, it } from 'vitest';
import { EventLoop } from './event-loop.ts';
import { Machine } from './machine.ts';
import { Random } from './random.ts';
import { SimProcess } from './sim-process.ts';

const nsPerMs = 1e6;

function world(rate = 1): { loop: EventLoop; process: SimProcess; thrown: unknown[] } {
  const thrown: unknown[] = [];
  const loop = new EventLoop((error) => void thrown.push(error));
  return { loop, process: new SimProcess(loop, new Machine('m', rate, 5_000), 'm/p'), thrown };
}

describe('The event loop', () => {
  it('lets things happen by time, then in the order of asking', async () => {
    const { loop } = world();
    const seen: string[] = [];
    loop.after(20, () => seen.push('later'));
    loop.after(10, () => seen.push('first'));
    loop.after(10, () => seen.push('second'));
    loop.soon(() => seen.push('now'));
    await loop.run(100);
    expect(seen).toEqual(['now', 'first', 'second', 'later']);
    expect(loop.now).toBe(100);
  });

  it('lets every promise go on before the next event, however long the chain', async () => {
    const { loop } = world();
    const seen: string[] = [];
    loop.soon(() => {
      let chain = Promise.resolve();
      for (let i = 0; i < 50; i += 1) chain = chain.then(() => undefined);
      void chain.then(() => seen.push('promise'));
    });
    loop.soon(() => seen.push('event'));
    await loop.run(0);
    expect(seen).toEqual(['promise', 'event']);
  });

  it('stops at its moment, and goes on from there', async () => {
    const { loop } = world();
    const seen: number[] = [];
    loop.after(150, () => seen.push(loop.now));
    await loop.run(100);
    expect(seen).toEqual([]);
    await loop.run(200);
    expect(seen).toEqual([150]);
  });

  it('forgets what was taken back', async () => {
    const { loop } = world();
    const seen: string[] = [];
    const pending = loop.after(10, () => seen.push('never'));
    pending.cancel();
    await loop.run(100);
    expect([seen, loop.events]).toEqual([[], 0]);
  });

  it('hands on what an event throws, and goes on', async () => {
    const { loop, thrown } = world();
    loop.soon(() => {
      throw new Error('uncaught');
    });
    const seen: string[] = [];
    loop.soon(() => seen.push('on'));
    await loop.run(0);
    expect([thrown.length, seen]).toEqual([1, ['on']]);
  });

  it('gives up on code that asks for the next turn without end', async () => {
    const { loop } = world();
    const again = (): void => loop.soon(again);
    again();
    await expect(loop.run(0)).rejects.toThrow('without end');
  });
});

describe('A process', () => {
  it('has a clock that begins anywhere and runs at the rate of its machine', async () => {
    const { loop, process } = world(1.25);
    const fired: number[] = [];
    process.clock.after(100, () => fired.push(loop.now / nsPerMs));
    await loop.run(1_000 * nsPerMs);
    expect(process.clock.now()).toBe(5_000 + 1_250);
    expect(fired).toEqual([80]);
  });

  it('hears when it is continued what came while it was stopped, in its order', async () => {
    const { loop, process } = world();
    const seen: string[] = [];
    process.clock.after(10, () => seen.push('timer'));
    process.stop();
    process.enter('sockets', () => seen.push('socket'));
    process.enter('sockets', () => seen.push('another'));
    await loop.run(100 * nsPerMs);
    expect(seen).toEqual([]);
    process.continue('sockets');
    await loop.run(200 * nsPerMs);
    expect(seen).toEqual(['socket', 'another', 'timer']);
  });

  it('lets nothing overtake what waited, though it runs again', async () => {
    const { loop, process } = world();
    const seen: string[] = [];
    process.stop();
    process.enter('sockets', () => seen.push('first'));
    process.enter('sockets', () => seen.push('second'));
    process.continue();
    process.enter('sockets', () => seen.push('third'));
    await loop.run(0);
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  it('that is killed hears nothing any more, and its mourners are told once', async () => {
    const { loop, process } = world();
    const seen: string[] = [];
    process.clock.after(10, () => seen.push('timer'));
    process.clock.soon(() => seen.push('soon'));
    process.whenDead(() => seen.push('dead'));
    process.kill();
    process.kill();
    process.enter('sockets', () => seen.push('socket'));
    await loop.run(100 * nsPerMs);
    expect(seen).toEqual(['dead']);
  });

  it('can be killed in the middle of a turn, at the frame that it sends next but one', () => {
    const { process } = world();
    process.killAfter(2);
    process.sends();
    expect(process.isDead).toBe(false);
    process.sends();
    expect(process.isDead).toBe(true);
  });
});

describe('Randomness', () => {
  it('is a function of its seed', () => {
    const draw = (seed: number | string): number[] =>
      Array.from(
        { length: 5 },
        (
          (random) => () =>
            random.next()
        )(new Random(seed)),
      );
    expect(draw(1)).toEqual(draw('1'));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('has streams that do not move each other', () => {
    const one = new Random(1);
    const before = one.fork('a').next();
    one.next();
    expect(one.fork('a').next()).toBe(before);
    expect(one.fork('b').next()).not.toBe(before);
  });

  it('spreads evenly', () => {
    const random = new Random('even');
    const counts = new Uint32Array(4);
    for (let i = 0; i < 8_000; i += 1) counts[random.int(4)]! += 1;
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(150);
  });
});
