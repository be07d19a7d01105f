import assert from 'node:assert/strict';
import { defaults } from '@muster/rexi';
import fc from 'fast-check';
import type { Cluster } from '../src/cluster.ts';
import type { RowStream } from '../src/row-stream.ts';
import { InProcess, jobsOf } from './in-process.ts';

/** What a caller or the world may do. */
export const command = fc.oneof(
  {
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      job: fc.constantFrom('answer', 'slow', 'hang', 'deaf', 'throws', 'dies', 'pinging'),
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ do: fc.constant('stream' as const), count: fc.nat(40), slow: fc.boolean() }), weight: 4 },
  {
    arbitrary: fc.record({
      do: fc.constant('scatter' as const),
      count: fc.nat(20),
      merge: fc.boolean(),
      race: fc.boolean(),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({ do: fc.constant('read' as const), which: fc.nat(), rows: fc.integer({ min: 1, max: 15 }) }),
    weight: 6,
  },
  { arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'cancel' as const), which: fc.nat() }), weight: 3 },
  {
    arbitrary: fc.record({
      do: fc.constantFrom('crash' as const, 'cut' as const, 'silence' as const),
      which: fc.nat(),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      do: fc.constantFrom('cut guardian' as const, 'kill guardian' as const, 'drain' as const),
      which: fc.nat(),
    }),
    weight: 1,
  },
  { arbitrary: fc.record({ do: fc.constant('stall' as const), ms: fc.constantFrom(2_000, 8_000, 40_000) }), weight: 1 },
  {
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 300, 3_000, 7_000, 65_000) }),
    weight: 6,
  },
);
export type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

/** How a coordinator ends: in good order, by SIGKILL, or with its machine. */
export const endings = ['close', 'kill', 'lose'] as const;
type Ending = (typeof endings)[number];

/** A lease, its margin, and the time to kill: after this no job of a coordinator that is gone may live. */
const bound = 1.1 * defaults.lease + 2 * defaults.kill;

/** One request, and what its caller has seen of it. */
interface Asked {
  readonly stop: AbortController;
  readonly stream: RowStream<number> | undefined;
  readonly rows: number[];
  /** What the rows must be a prefix of; undefined: in order is enough. */
  readonly all: readonly number[] | undefined;
  reading: Promise<void>;
  /** How it has ended, once it has. */
  end: string | undefined;
}

/** A caller over real coordinator, guardian and agents. */
export class Scene {
  readonly world: InProcess;
  readonly asked: Asked[] = [];
  readonly ids = ['w1', 'w2', 'w3'];
  #cluster: Cluster | undefined;

  constructor(seed: number) {
    this.world = new InProcess({ seed, latency: 2, constants: { windowRows: 8 } });
  }

  async open(): Promise<void> {
    for (const id of this.ids) await this.world.node(id, jobsOf(id));
    const shards = this.ids.map((id, i) => ({ id: i, nodes: [id, this.ids[(i + 1) % 3] as string] }));
    this.#cluster = await this.world.connect({ shards });
  }

  get cluster(): Cluster {
    return this.#cluster as Cluster;
  }

  async do(step: Command): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case 'call':
        return this.#call(step.job);
      case 'stream':
        return this.#stream(
          (signal) => this.cluster.stream<number>(step.slow ? 'slowly' : 'single', { count: step.count }, { signal }),
          numbers(step.count),
        );
      case 'scatter':
        return this.#stream(
          (signal) =>
            this.cluster.scatter<number>(
              'count',
              { count: step.count },
              { signal, race: step.race, ...(step.merge && { merge: {} }) },
            ),
          step.merge ? numbers(step.count).flatMap((row) => [row, row, row]) : undefined,
        );
      case 'read':
        return this.#read(pick(this.asked, step.which), step.rows);
      case 'kill':
        return pick(this.asked, step.which)?.stop.abort();
      case 'cancel':
        return void pick(this.asked, step.which)?.stream?.return();
      case 'crash':
        return this.#restart(pick(this.ids, step.which) ?? 'w1');
      case 'cut':
        return pick([...world.links.coordinator], step.which)?.abort('cut');
      case 'silence':
        return pick([...world.links.coordinator], step.which)?.lose(9_000);
      case 'cut guardian':
        return pick([...world.links.guardian], step.which)?.abort('cut');
      case 'kill guardian':
        return void world.guardians.alive[0]?.kill();
      case 'drain':
        return world.nodes.get(pick(this.ids, step.which) ?? 'w1')?.agent.jobs.drain(1_000);
      case 'stall':
        world.process.stop();
        await world.clock.pass(step.ms);
        return world.process.continue();
      default:
        return world.clock.pass(step.ms);
    }
  }

  /** Nothing may have gone wrong so far. */
  check(): void {
    for (const { rows, all } of this.asked) if (all !== undefined) assert.deepEqual(rows, all.slice(0, rows.length));
    for (const { agent } of this.world.everyNode) {
      for (const { window, sent, acked } of agent.jobs.all)
        assert.ok(sent.rows - acked.rows <= window.rows, 'rows beyond the window');
    }
    assert.equal(new Set(this.world.started).size, this.world.started.length);
  }

  /** The end of it all, in one of the ways in which a coordinator ends. Nothing of it may live on. */
  async end(how: Ending): Promise<void> {
    if (how === 'close') await this.#close();
    else if (how === 'kill') this.world.killCoordinator();
    else this.world.loseMachine();
    await this.world.clock.pass(bound);
    assert.deepEqual(this.world.jobs, []);
    await this.world.clock.pass(2 * bound);
    assert.equal(this.world.guardians.alive.length, 0);
    for (const { agent } of this.world.everyNode) assert.equal(agent.jobs.tombstones, 0);
  }

  /** First everybody leaves, and nothing lives although the handle is open; then that is closed, and all have ended. */
  async #close(): Promise<void> {
    for (const { stop, stream } of this.asked) {
      stop.abort();
      await stream?.return();
    }
    await this.world.clock.pass(bound);
    assert.deepEqual(this.world.jobs, []);
    await this.world.run(this.cluster.close());
    await this.world.run(Promise.all(this.asked.map(({ reading }) => reading)));
  }

  #call(job: string): void {
    const stop = new AbortController();
    const asked: Asked = {
      stop,
      stream: undefined,
      rows: [],
      all: undefined,
      reading: Promise.resolve(),
      end: undefined,
    };
    asked.reading = this.cluster.call(job, undefined, { signal: stop.signal }).then(
      () => void (asked.end = 'value'),
      (error: { code?: string }) => void (asked.end = error.code ?? String(error)),
    );
    this.asked.push(asked);
  }

  #stream(make: (signal: AbortSignal) => RowStream<number>, all: readonly number[] | undefined): void {
    const stop = new AbortController();
    this.asked.push({ stop, stream: make(stop.signal), rows: [], all, reading: Promise.resolve(), end: undefined });
  }

  async #restart(id: string): Promise<void> {
    const node = this.world.nodes.get(id);
    const crashed = node?.crash();
    await this.world.clock.pass(10);
    await crashed;
    await this.world.node(id, jobsOf(id), { listen: node?.address ?? '' });
  }

  #read(asked: Asked | undefined, count: number): void {
    const stream = asked?.stream;
    if (asked === undefined || stream === undefined) return;
    asked.reading = asked.reading.then(async () => {
      for (let row = 0; row < count && asked.end === undefined; row += 1) {
        try {
          const { done, value } = await stream.next();
          if (done === true) asked.end = 'done';
          else asked.rows.push(value);
        } catch (error) {
          asked.end = (error as { code?: string }).code ?? String(error);
        }
      }
    });
  }
}

function pick<T>(list: readonly T[], which: number): T | undefined {
  return list[which % Math.max(1, list.length)];
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
