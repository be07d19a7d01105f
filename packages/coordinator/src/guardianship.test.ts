import type { Constants } from '@muster/rexi';
import { constants, newIdentity } from '@muster/rexi';
import { seededEntropy, Stoppable, virtualClock } from '@muster/rexi/testing';
import { describe, expect, it } from 'vitest';
import type { FromGuardian, ToGuardian } from './guardian/pipe.ts';
import type { GuardianEvents } from './guardianship.ts';
import { Guardianship } from './guardianship.ts';

const table = constants({ block: 10 });
const a = 'ws://a:1';

/** A guardian process as a test plays it. */
class Played {
  readonly told: ToGuardian[] = [];
  readonly events: GuardianEvents;
  killed = false;
  /** A guardian that was stopped answers nothing; what it is told waits in its pipe. */
  stopped = false;
  #left: () => void = () => undefined;
  readonly gone: Promise<void> = new Promise((resolve) => (this.#left = resolve));

  constructor(events: GuardianEvents) {
    this.events = events;
  }

  send(message: ToGuardian): void {
    this.told.push(message);
    if (message.do === 'beat' && !this.stopped) this.say({ is: 'alive' });
  }

  /** SIGKILL: it exits when the test says so. */
  kill(): Promise<void> {
    this.killed = true;
    return this.gone;
  }

  say(...lines: FromGuardian[]): void {
    for (const line of lines) this.events.said(line);
  }

  register(): void {
    const blocks = this.told.filter((one) => one.do === 'block');
    this.say({ is: 'registered', to: blocks.at(-1)?.to ?? 0 });
  }

  exit(): void {
    this.events.exited();
    this.#left();
  }

  words(): string[] {
    return this.told.map((one) =>
      Object.entries(one)
        .filter(([key]) => ['do', 'to', 'number', 'address', 'session'].includes(key))
        .map(([, value]) => String(value))
        .join(' '),
    );
  }
}

class World {
  readonly clock = virtualClock();
  readonly process = new Stoppable(this.clock);
  readonly guardians: Played[] = [];
  readonly over: string[] = [];
  readonly guardianship: Guardianship;

  constructor(changes: Partial<Constants> = {}) {
    this.guardianship = new Guardianship({
      clock: this.process.clock,
      constants: { ...table, ...changes },
      identity: newIdentity('coordinator', 'c', seededEntropy('guardianship')),
      secret: Buffer.from('a secret of some length'),
      spawn: (events) => {
        const played = new Played(events);
        this.guardians.push(played);
        return played;
      },
      fenced: (_why, error) => void this.over.push(error.code),
    });
  }

  get guardian(): Played {
    return this.guardians.at(-1) as Played;
  }

  /** What becomes of a promise, seen at the end of this turn. */
  async watch(promise: Promise<unknown>): Promise<string[]> {
    const seen: string[] = [];
    promise.then(
      (value) => seen.push(`done ${String(value)}`),
      (error: unknown) => seen.push(`failed ${(error as { code?: string }).code}`),
    );
    await this.clock.settle();
    return seen;
  }
}

describe('a guardianship', () => {
  it('tells a guardian who it speaks for, and asks for a block ahead of need', () => {
    const { guardian } = new World();
    expect(guardian.words()).toEqual(['begin 1', 'block 10']);
  });

  it('lets a cast wait until its counters are registered', async () => {
    const { guardianship, guardian, clock, watch } = bound(new World());
    expect(guardianship.has(1)).toBe(false);
    const reserved = await watch(guardianship.reserve(3));
    await clock.pass(1_000);
    expect(reserved).toEqual([]);
    guardian.register();
    await clock.settle();
    expect(reserved).toEqual(['done undefined']);
    expect([guardianship.take(), guardianship.take(), guardianship.take()]).toEqual([1, 2, 3]);
  });

  it('asks for the next block before the last is used up', () => {
    const { guardianship, guardian } = new World();
    guardian.register();
    for (let counter = 1; counter <= 5; counter += 1) guardianship.take();
    expect(guardian.words().slice(2)).toEqual(['block 20']);
    expect([guardianship.has(5), guardianship.has(6)]).toEqual([true, false]);
    guardian.register();
    expect(guardianship.has(15)).toBe(true);
  });

  it('asks for as many as a fan-out needs', async () => {
    const { guardianship, guardian, clock, watch } = bound(new World());
    guardian.register();
    const reserved = await watch(guardianship.reserve(100));
    expect(reserved).toEqual([]);
    guardian.register();
    await clock.settle();
    expect(reserved).toEqual(['done undefined']);
    expect(guardianship.has(100)).toBe(true);
  });

  it('resolves a guard when the node is linked, and at once from then on', async () => {
    const { guardianship, guardian, clock, watch } = bound(new World());
    const guarded = await watch(guardianship.guard(a, 'w1'));
    expect(guarded).toEqual([]);
    guardian.say({ is: 'linked', address: a });
    await clock.settle();
    expect(guarded).toEqual(['done undefined']);
    expect(await watch(guardianship.guard(a, 'w1'))).toEqual(['done undefined']);
  });

  it('rule 9: passes on that a session was given up, and hears the newest stamp echoed', async () => {
    const { guardianship, guardian, clock, watch } = bound(new World());
    guardianship.vouch(a, 3, 6_000);
    const ended = await watch(guardianship.giveUp(a, 3));
    expect(guardian.words().slice(2)).toEqual([`session ${a} 3`, `end ${a} 3`]);
    guardian.say({ is: 'ended', address: a, session: 3, stamp: 77 });
    await clock.settle();
    expect(ended).toEqual(['done 77']);
    expect(await watch(guardianship.giveUp(a, 3))).toEqual(['done 0']);
  });

  it('gives signs of life every heartbeat', async () => {
    const { guardian, clock } = new World();
    await clock.pass(3_000);
    expect(guardian.words().filter((line) => line === 'beat')).toHaveLength(3);
  });

  it('says nothing after the release but that, and refuses what comes later', async () => {
    const { guardianship, guardian, clock, watch } = bound(new World());
    const reserved = await watch(guardianship.reserve(1));
    guardianship.release();
    await clock.pass(10_000);
    expect(guardian.words().slice(2)).toEqual(['release']);
    expect(reserved).toEqual(['failed closed']);
    expect(await watch(guardianship.reserve(1))).toEqual(['failed closed']);
    guardian.exit();
    expect(guardian.killed).toBe(false);
  });

  it('has gone after the release when its guardian has', async () => {
    const { guardianship, guardian, clock, watch } = bound(new World());
    guardianship.release();
    const gone = await watch(guardianship.gone());
    await clock.pass(table.kill - 1);
    expect(gone).toEqual([]);
    guardian.exit();
    await clock.pass(table.kill);
    expect([gone, guardian.killed]).toEqual([['done undefined'], false]);
    expect(await watch(guardianship.gone())).toEqual(['done undefined']);
  });

  it('kills a guardian that has nothing left to do and does not go within K', async () => {
    const { guardianship, guardian, clock, watch } = bound(new World());
    guardianship.release();
    const gone = await watch(guardianship.gone());
    await clock.pass(table.kill);
    expect([gone, guardian.killed]).toEqual([['done undefined'], true]);
  });
});

describe('a guardian that dies', () => {
  it('is replaced by the next number, which knows nodes, sessions and block before anything is cast', () => {
    const world = new World();
    const { guardianship, guardian: first } = world;
    first.register();
    void guardianship.guard(a, 'w1');
    first.say({ is: 'linked', address: a });
    guardianship.vouch(a, 1, 6_000);
    first.exit();
    expect(world.guardian.words()).toEqual(['begin 2', `node ${a}`, `session ${a} 1`, 'block 10']);
    expect(guardianship.has(1)).toBe(false);
    world.guardian.register();
    expect(guardianship.has(1)).toBe(true);
    expect(guardianship.take()).toBe(1);
  });

  it('and had not linked yet: who waits for that is told by its successor', async () => {
    const world = new World();
    const guarded = await world.watch(world.guardianship.guard(a, 'w1'));
    world.guardian.exit();
    world.guardian.say({ is: 'linked', address: a });
    await world.clock.settle();
    expect(guarded).toEqual(['done undefined']);
  });

  it('answers every session that it was to end, with a stamp beyond all', async () => {
    const world = new World();
    world.guardianship.vouch(a, 1, 6_000);
    const ended = await world.watch(world.guardianship.giveUp(a, 1));
    world.guardian.exit();
    await world.clock.settle();
    expect(ended).toEqual(['done Infinity']);
    expect(world.guardian.words()).not.toContain(`session ${a} 1`);
  });

  it('has echoed nobody knows which stamps of its sessions: who gives one up later is told so', async () => {
    const world = new World();
    world.guardianship.vouch(a, 1, 6_000);
    world.guardian.exit();
    const ended = await world.watch(world.guardianship.giveUp(a, 1));
    world.guardian.say({ is: 'ended', address: a, session: 1, stamp: 0 });
    await world.clock.settle();
    expect(ended).toEqual(['done Infinity']);
    world.guardianship.vouch(a, 2, 6_000);
    const next = await world.watch(world.guardianship.giveUp(a, 2));
    world.guardian.say({ is: 'ended', address: a, session: 2, stamp: 5 });
    await world.clock.settle();
    expect(next).toEqual(['done 5']);
  });

  it('three times within a minute is the end: requests fail with `unavailable`', async () => {
    const world = new World();
    const reserved = await world.watch(world.guardianship.reserve(1));
    world.guardian.exit();
    world.guardian.exit();
    await world.clock.pass(59_000);
    expect(world.over).toEqual([]);
    world.guardian.exit();
    await world.clock.settle();
    expect(world.over).toEqual(['unavailable']);
    expect(reserved).toEqual(['failed unavailable']);
    expect(world.guardians).toHaveLength(3);
  });

  it('more often than that, but slowly, is replaced each time', async () => {
    const world = new World();
    for (let deaths = 0; deaths < 6; deaths += 1) {
      world.guardian.register();
      world.guardian.exit();
      world.guardian.register();
      await world.clock.pass(31_000);
    }
    expect(world.over).toEqual([]);
  });

  it('having said that it fences is no guardian to be replaced: the incarnation is over', async () => {
    const world = new World();
    const reserved = await world.watch(world.guardianship.reserve(1));
    world.guardian.say({ is: 'fencing', why: 'no sign of life' });
    expect(world.over).toEqual([]);
    world.guardian.exit();
    await world.clock.settle();
    expect(world.over).toEqual(['fenced']);
    expect(reserved).toEqual(['failed fenced']);
    expect(world.guardians).toHaveLength(1);
  });
});

describe('a guardian that does not answer', () => {
  it('is killed after C, and replaced only when it has exited', async () => {
    const world = new World();
    const first = world.guardian;
    first.stopped = true;
    await world.clock.pass(table.connect - 1);
    expect(first.killed).toBe(false);
    await world.clock.pass(1);
    expect(first.killed).toBe(true);
    await world.clock.pass(10_000);
    expect(world.guardians).toHaveLength(1);
    first.exit();
    expect(world.guardians).toHaveLength(2);
  });

  it('is found though nothing is asked of it: C after it was last heard', async () => {
    const world = new World();
    world.guardian.register();
    await world.clock.pass(20_000);
    expect(world.guardian.killed).toBe(false);
    world.guardian.stopped = true;
    await world.clock.pass(table.connect - 1);
    expect(world.guardian.killed).toBe(false);
    await world.clock.pass(1);
    expect(world.guardian.killed).toBe(true);
  });

  it('is found no later for what is asked of it meanwhile', async () => {
    const world = new World();
    world.guardian.register();
    world.guardian.stopped = true;
    for (let asked = 0; asked < 5; asked += 1) {
      void world.guardianship.guard(`ws://w${asked}:1`, 'w');
      await world.clock.pass(table.connect / 5);
    }
    expect(world.guardian.killed).toBe(true);
  });

  it('is not judged between two beats, however short C is', async () => {
    const world = new World({ connect: 100 });
    world.guardian.register();
    await world.clock.pass(20_000);
    expect(world.guardian.killed).toBe(false);
    world.guardian.stopped = true;
    await world.clock.pass(2 * table.heartbeat);
    expect(world.guardian.killed).toBe(true);
  });

  it('is let alone when it answers and merely cannot reach a node', async () => {
    const world = new World();
    void world.guardianship.guard(a, 'w1');
    world.guardian.register();
    await world.clock.pass(60_000);
    expect(world.guardian.killed).toBe(false);
  });

  it('rule 10: is not judged before its pipe is read, though the wait for it ended just before the stop did', async () => {
    const world = new World();
    world.process.stop();
    await world.clock.pass(table.connect + 300);
    world.process.continue();
    world.guardian.register(); // What waited in the pipe comes behind the timers.
    await world.clock.pass(60_000);
    expect(world.guardian.killed).toBe(false);
  });

  it('rule 10: is not judged by a coordinator that was stopped before that has read its pipe', async () => {
    const world = new World();
    world.process.stop();
    await world.clock.pass(20_000);
    world.process.continue();
    expect(world.guardian.killed).toBe(false);
    world.guardian.register();
    await world.clock.pass(60_000);
    expect(world.guardian.killed).toBe(false);
  });
});

function bound(world: World): World & { watch: World['watch'] } {
  world.watch = world.watch.bind(world);
  return world;
}
