import { seededEntropy } from '@muster/rexi/testing';
import type { Happening, SupervisorEffect } from '../src/supervisor/happening.ts';
import type { ChildSpec, SupervisorRules } from '../src/supervisor/spec.ts';
import { SupervisorCore } from '../src/supervisor/supervisor-core.ts';
import { SupervisorModel } from './supervisor-model.ts';

/** A spec without its start: the steps say what becomes of a child. */
export type Kind = Omit<ChildSpec, 'start' | 'id'>;

export type Fate = 'crash' | 'finish' | 'come-up' | 'fail-start' | 'stopped' | 'refuse';

export type Step =
  /** `which` picks one of those to whom it can happen. */
  | { readonly do: Fate; readonly which: number }
  | { readonly do: 'stop' | 'start' | 'remove'; readonly which: number }
  | { readonly do: 'add'; readonly kind: Kind }
  | { readonly do: 'close' | 'abort' }
  | { readonly do: 'pass'; readonly ms: number };

export interface Scene {
  readonly rules: Omit<SupervisorRules, 'children'>;
  readonly kinds: readonly Kind[];
  readonly steps: readonly Step[];
}

/** A defect between the core and its world, to see that it is found. */
export interface Plant {
  rules?(rules: SupervisorRules): SupervisorRules;
  spec?(spec: ChildSpec): ChildSpec;
  /** False: the core is not told. */
  hears?(happening: Happening, core: SupervisorCore): boolean;
  effects?(effects: readonly SupervisorEffect[], core: SupervisorCore): readonly SupervisorEffect[];
}

const start = (): never => {
  throw new Error('Children of a core are started by its shell.');
};
const error = new Error('as the step says');

/** A core, children that do what steps say, and the model, which is told all of it. */
export class SupervisorWorld {
  readonly core: SupervisorCore;
  readonly model: SupervisorModel;
  readonly #plant: Plant;
  #now = 1_000;
  #added = 0;

  constructor({ rules, kinds }: Scene, plant: Plant = {}) {
    this.#plant = plant;
    const dynamic = rules.strategy === 'dynamic';
    const children = dynamic ? [] : kinds.map((kind, index) => ({ ...kind, id: `c${index}`, start }));
    this.model = new SupervisorModel({ ...rules, children }, this.#now);
    const planted = children.map((child) => plant.spec?.(child) ?? child);
    const given = { ...rules, children: planted };
    this.core = new SupervisorCore(plant.rules?.(given) ?? given, seededEntropy('supervisor'));
    this.#perform(this.core.begin(this.#now));
    if (dynamic) for (const kind of kinds) this.take({ do: 'add', kind });
  }

  take(step: Step): void {
    switch (step.do) {
      case 'pass':
        return this.#pass(step.ms);
      case 'add':
        return this.#add(step.kind);
      case 'close':
        return this.#happen({ type: 'close' });
      case 'abort':
        return this.#happen({ type: 'abort', reason: 'the step says so' });
      case 'stop':
      case 'start':
      case 'remove':
        return this.#order(step.do, step.which);
      default:
        return this.#befall(step.do, step.which);
    }
  }

  /** The supervisor is closed; who was asked to end does so, in time or not. */
  end(): void {
    this.#happen({ type: 'close' });
    for (let round = 0; round < 200 && !this.model.over && this.model.broken.size === 0; round += 1) {
      this.#befall('stopped', round);
      if (round > 20) this.#befall('come-up', 0);
      this.#pass(500);
    }
    this.model.must('a supervisor that is closed ends', this.model.over);
    // Those that were given up come up after all.
    for (const run of this.model.runs('come-up')) this.#happen({ type: 'started', run });
  }

  #add(kind: Kind): void {
    const spec = { ...kind, id: `a${(this.#added += 1)}`, start };
    if (this.model.ending) return;
    this.model.added(spec, this.#now);
    this.#perform(this.core.handle({ type: 'add', spec: this.#plant.spec?.(spec) ?? spec }, this.#now));
  }

  #order(type: 'stop' | 'start' | 'remove', which: number): void {
    const able = this.core.which().filter(({ state }) => {
      if (type === 'stop') return true;
      return state === 'down' || (type === 'start' && state === 'waiting');
    });
    const one = able[which % Math.max(1, able.length)];
    if (one !== undefined) this.#happen({ type, id: one.id });
  }

  #befall(what: Fate, which: number): void {
    const able = this.model.runs(what);
    const run = able[which % Math.max(1, able.length)];
    if (run === undefined) return;
    if (what === 'crash') this.#happen({ type: 'ended', run, exit: { how: 'failed', error } });
    else if (what === 'finish') this.#happen({ type: 'ended', run, exit: { how: 'normal' } });
    else if (what === 'come-up') this.#happen({ type: 'started', run });
    else if (what === 'fail-start') this.#happen({ type: 'start-failed', run, error });
    else if (what === 'stopped') this.#happen({ type: 'stopped', run });
    else this.#happen({ type: 'stop-failed', run });
  }

  #happen(happening: Happening): void {
    this.model.happens(happening, this.#now);
    if (this.#plant.hears?.(happening, this.core) === false) return this.model.check(this.core, this.#now);
    this.#perform(this.core.handle(happening, this.#now));
  }

  #pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = Math.min(this.core.nextAt, this.model.nextAt(this.#now));
      this.model.must('it does not ask for a time that has passed', this.core.nextAt > this.#now);
      if (next > until || this.model.broken.size > 0) break;
      this.#now = next;
      this.#perform(this.core.handle({ type: 'tick' }, this.#now));
    }
    this.#now = until;
  }

  #perform(effects: readonly SupervisorEffect[]): void {
    for (const effect of this.#plant.effects?.(effects, this.core) ?? effects) this.model.does(effect, this.#now);
    this.model.check(this.core, this.#now);
  }
}
