import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededEntropy } from '@muster/rexi/testing';
import { formatObjectKey } from './object-key.ts';
import { objectOverhead, ObjectTable } from './object-table.ts';

const incarnation = '0123456789abcdef';
const other = 'fedcba9876543210';

function table(options: { budget?: number; remember?: number } = {}): ObjectTable {
  return new ObjectTable({ incarnation, entropy: seededEntropy(1), ...options });
}

function keyOf(id: string, instance: string = incarnation): string {
  return formatObjectKey({ node: 'n', incarnation: instance, id, size: 1, address: 'memory:a' });
}

const owner = { job: 1, session: 's1' };
const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(size);

describe('the object table', () => {
  it('gives the bytes themselves, not a copy', () => {
    const objects = table();
    const given = bytes(100);
    const id = objects.put(owner, given);
    expect(objects.read({ incarnation, id })).toEqual({ is: 'here', bytes: given });
    expect((objects.read({ incarnation, id }) as { bytes: Uint8Array }).bytes).toBe(given);
  });

  it('makes ids of 128 random bits', () => {
    const objects = table();
    const ids = new Set(Array.from({ length: 100 }, () => objects.put(owner, bytes(1))));
    expect(ids.size).toBe(100);
    for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(16);
  });

  it('does not keep a socket buffer alive for a small object', () => {
    const objects = table();
    const id = objects.put(owner, bytes(100_000).subarray(5, 10));
    const found = objects.read({ incarnation, id }) as { bytes: Uint8Array };
    expect(found.bytes.buffer.byteLength).toBe(5);
  });

  describe('tells how an object is not there:', () => {
    it('missing when it was never seen', () => {
      expect(table().read({ incarnation, id: 'nobody' })).toEqual({ is: 'missing' });
    });

    it('evicted when it was dropped or its owner has ended', () => {
      const objects = table();
      const ids = [objects.put(owner, bytes(1)), objects.put({ job: 2, session: 's1' }, bytes(1))];
      ids.push(objects.put({ job: 3, session: 's2' }, bytes(1)));
      objects.drop({ incarnation, id: ids[0] ?? '' }, 's1');
      objects.endJob(2);
      objects.endSession('s2');
      expect(ids.map((id) => objects.read({ incarnation, id }).is)).toEqual(['evicted', 'evicted', 'evicted']);
    });

    it('missing again when the drop was long ago', () => {
      const objects = table({ remember: 2 });
      const ids = [1, 2, 3].map((size) => objects.put(owner, bytes(size)));
      for (const id of ids) objects.drop({ incarnation, id }, 's1');
      expect(ids.map((id) => objects.read({ incarnation, id }).is)).toEqual(['missing', 'evicted', 'evicted']);
    });

    it('lost when it was held by another incarnation, even under an id that is here', () => {
      const objects = table();
      const id = objects.put(owner, bytes(1));
      expect(objects.read({ incarnation: other, id })).toEqual({ is: 'lost' });
      expect(objects.drop({ incarnation: other, id }, 's1')).toBe('lost');
      expect(objects.adopt([keyOf(id, other)], 's1')).toBe(0);
    });
  });

  describe('ownership:', () => {
    it('an object goes with its job', () => {
      const objects = table();
      const id = objects.put(owner, bytes(1));
      objects.endJob(2);
      expect(objects.read({ incarnation, id }).is).toBe('here');
      objects.endJob(1);
      expect(objects.stats()).toMatchObject({ objects: 0, bytes: 0 });
    });

    it('an object whose key left in a reply outlives its job and goes with the session', () => {
      const objects = table();
      const id = objects.put(owner, bytes(1));
      expect(objects.adopt([keyOf(id)], 's1')).toBe(1);
      expect(objects.adopt([keyOf(id)], 's1')).toBe(0);
      objects.endJob(1);
      expect(objects.read({ incarnation, id }).is).toBe('here');
      objects.endSession('s1');
      expect(objects.read({ incarnation, id }).is).toBe('evicted');
    });

    it('a session that ends takes what its jobs still own', () => {
      const objects = table();
      const id = objects.put(owner, bytes(1));
      objects.endSession('s1');
      expect(objects.read({ incarnation, id }).is).toBe('evicted');
      objects.endJob(1);
    });

    it('another session may read, but neither drop nor adopt', () => {
      const objects = table();
      const id = objects.put(owner, bytes(1));
      expect(objects.adopt([keyOf(id)], 's2')).toBe(0);
      expect(objects.drop({ incarnation, id }, 's2')).toBe('foreign');
      expect(objects.drop({ incarnation, id }, undefined)).toBe('foreign');
      objects.endSession('s2');
      expect(objects.read({ incarnation, id }).is).toBe('here');
    });

    it('keys of other nodes and other stores in a reply are left alone', () => {
      expect(table().adopt([keyOf(Buffer.alloc(16).toString('base64url')), 'memory.abc'], 's1')).toBe(0);
    });

    it('dropping twice says that it was gone', () => {
      const objects = table();
      const id = objects.put(owner, bytes(1));
      expect(objects.drop({ incarnation, id }, 's1')).toBe('dropped');
      expect(objects.drop({ incarnation, id }, 's1')).toBe('evicted');
    });
  });

  describe('the budget:', () => {
    it('refuses what does not fit, keeps nothing of it, and counts it', () => {
      const objects = table({ budget: 1000 + 2 * objectOverhead });
      const id = objects.put(owner, bytes(600));
      expect(() => objects.put(owner, bytes(401))).toThrow(expect.objectContaining({ code: 'full' }));
      expect(objects.stats()).toMatchObject({ objects: 1, bytes: 600, refused: 1 });
      objects.put(owner, bytes(400));
      objects.drop({ incarnation, id }, 's1');
      objects.put(owner, bytes(600));
    });

    it('bounds the number of empty objects as well', () => {
      const objects = table({ budget: 10 * objectOverhead });
      for (let count = 0; count < 10; count += 1) objects.put(owner, new Uint8Array());
      expect(() => objects.put(owner, new Uint8Array())).toThrow(expect.objectContaining({ code: 'full' }));
    });
  });
});

type Operation =
  | { readonly do: 'put'; readonly job: number; readonly size: number }
  | { readonly do: 'adopt' | 'drop'; readonly nth: number; readonly session: number }
  | { readonly do: 'end-job'; readonly job: number }
  | { readonly do: 'end-session'; readonly session: number };

const job = fc.nat(5);
const session = fc.nat(2);
const operations = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), job, size: fc.nat(50) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom('adopt' as const, 'drop' as const), nth: fc.nat(30), session }),
    },
    fc.record({ do: fc.constant('end-job' as const), job }),
    fc.record({ do: fc.constant('end-session' as const), session }),
  ),
  { maxLength: 60 },
);

/** The obvious way: a list of everything that was ever put, searched from end to end. */
class Model {
  readonly objects: { id: string; size: number; session: number; job: number | undefined; alive: boolean }[] = [];
  static readonly budget = 10 * objectOverhead + 200;

  get alive(): Model['objects'] {
    return this.objects.filter((object) => object.alive);
  }

  fits(size: number): boolean {
    const used = this.alive.reduce((sum, object) => sum + object.size + objectOverhead, 0);
    return used + size + objectOverhead <= Model.budget;
  }

  stats(): { objects: number; bytes: number; jobs: number; sessions: number } {
    const bytes = this.alive.reduce((sum, { size }) => sum + size, 0);
    const jobs = new Set(this.alive.flatMap((object) => object.job ?? []));
    const sessions = new Set(this.alive.map((object) => object.session));
    return { objects: this.alive.length, bytes, jobs: jobs.size, sessions: sessions.size };
  }

  end(which: (object: Model['objects'][number]) => boolean): void {
    for (const object of this.alive) if (which(object)) object.alive = false;
  }
}

/** Jobs 0 and 1 are of session 0, 2 and 3 of session 1, and so on. */
const sessionOf = (each: number): number => each >> 1;

function perform(objects: ObjectTable, model: Model, operation: Operation): void {
  switch (operation.do) {
    case 'put':
      return put(objects, model, operation.job, operation.size);
    case 'adopt':
    case 'drop': {
      const object = model.objects[operation.nth % Math.max(1, model.objects.length)];
      if (object) move(objects, object, operation.do, operation.session);
      return;
    }
    case 'end-job':
      objects.endJob(operation.job);
      return model.end((object) => object.job === operation.job);
    case 'end-session':
      objects.endSession(`s${operation.session}`);
      return model.end((object) => object.session === operation.session);
  }
}

function put(objects: ObjectTable, model: Model, of: number, size: number): void {
  const put = (): string => objects.put({ job: of, session: `s${sessionOf(of)}` }, bytes(size));
  if (!model.fits(size)) return expect(put).toThrow(expect.objectContaining({ code: 'full' }));
  model.objects.push({ id: put(), size, session: sessionOf(of), job: of, alive: true });
}

function move(objects: ObjectTable, object: Model['objects'][number], verb: 'adopt' | 'drop', by: number): void {
  const own = object.session === by;
  if (verb === 'adopt') {
    const moves = object.alive && own && object.job !== undefined;
    expect(objects.adopt([keyOf(object.id)], `s${by}`)).toBe(moves ? 1 : 0);
    if (moves) object.job = undefined;
    return;
  }
  const answer = !object.alive ? 'evicted' : own ? 'dropped' : 'foreign';
  expect(objects.drop({ incarnation, id: object.id }, `s${by}`)).toBe(answer);
  if (answer === 'dropped') object.alive = false;
}

describe('after any sequence of operations', () => {
  it('the objects alive are the objects owned, their bytes add up, and nobody is remembered who owns nothing', () => {
    fc.assert(
      fc.property(operations, (sequence) => {
        const objects = table({ budget: Model.budget });
        const model = new Model();
        for (const operation of sequence) {
          perform(objects, model, operation);
          const found = model.objects.map(({ id }) => objects.read({ incarnation, id }).is);
          expect(found).toEqual(model.objects.map(({ alive }) => (alive ? 'here' : 'evicted')));
          expect(objects.stats()).toMatchObject(model.stats());
        }
        for (const each of [0, 1, 2]) objects.endSession(`s${each}`);
        expect(objects.stats()).toMatchObject({ objects: 0, bytes: 0, jobs: 0, sessions: 0 });
      }),
      { numRuns: 300 },
    );
  });
});
