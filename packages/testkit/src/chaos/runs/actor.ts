import { descriptorsOf } from '../process/machine.ts';
import { now } from '../process/child.ts';
import type { LinkFault } from '../proxy/link-fault.ts';
import { drawFault } from '../proxy/link-fault.ts';
import { pause } from '../process/wait.ts';
import type { FaultEvidence } from './history.ts';
import type { Run } from './run.ts';
import type { Step, Victim } from './scenario.ts';

/** Steps after which something has to end; where there is none, the first that hurts is the blow. */
const blows: ReadonlySet<Step['do']> = new Set(['kill', 'exit', 'close', 'abort']);
const hurts: ReadonlySet<Step['do']> = new Set([...blows, 'stop', 'link', 'files', 'fill']);

/** Carries out the steps of a scenario, and knows which of them have met something. */
export class Actor {
  /** When the blow fell: milliseconds since the epoch. */
  blow = 0;
  /** What was done, as the rules want it told. */
  readonly faults: FaultEvidence[] = [];
  /** When the coordinator was told to exit. */
  exitedAt: number | undefined;
  /** When the coordinator's cluster was closed. */
  closedAt: number | undefined;
  readonly #run: Run;
  readonly #done: Set<string> = new Set();
  readonly #links: Set<string> = new Set();

  constructor(run: Run) {
    this.#run = run;
  }

  async act(): Promise<void> {
    const { steps } = this.#run.scenario;
    const last = steps.findLastIndex((step) => blows.has(step.do));
    const at = last >= 0 ? last : steps.findIndex((step) => hurts.has(step.do));
    for (const [i, step] of steps.entries()) {
      if (i === at) this.blow = now();
      await this.#step(step);
    }
  }

  /** Kinds of faults that have met something. */
  fired(): string[] {
    const links = Array.from(this.#run.lab.proxies.values()).flatMap((proxy) => [...proxy.fired]);
    return [...new Set([...this.#done, ...links])];
  }

  /** Faults that were asked for and met nothing: the run has shown nothing. */
  missing(): string[] {
    const fired = new Set(this.fired());
    return [...this.#links].filter((kind) => !fired.has(kind));
  }

  async #step(step: Step): Promise<void> {
    const { lab, random, victim, beat, requests } = this.#run;
    switch (step.do) {
      case 'wait':
        return pause(typeof step.ms === 'number' ? step.ms : random.between(...step.ms));
      case 'kill':
        for (const whom of step.whom) this.#hurt(`kill-${whom}`, whom);
        await lab.killAll(...step.whom.map((whom) => this.#party(whom)));
        return this.#did('kill', step.whom);
      case 'stop':
      case 'continue':
        for (const whom of step.whom) {
          if (step.do === 'stop')
            this.#hurt(whom === 'coordinator' ? 'stall-coordinator' : `stop-${whom}`, whom, Infinity);
          else this.#over(whom);
          lab[step.do](this.#party(whom));
        }
        return step.do === 'stop' ? this.#did('stop', step.whom) : undefined;
      case 'link': {
        const fault: LinkFault = typeof step.fault === 'string' ? drawFault(random, step.fault) : step.fault;
        const nodes = step.to === 'one' ? [victim] : [...lab.nodes.keys()];
        this.#note(
          fault.kind,
          nodes.map((node) => `net ${node}`),
          Infinity,
        );
        for (const node of nodes) for (const from of step.from) lab.fault(from, node, fault);
        // One that swallows and then resets is told by what it swallows.
        return void this.#links.add(fault.kind === 'timeout' ? 'black-hole' : fault.kind);
      }
      case 'heal':
        this.#end(({ hits }) => hits.some((hit) => hit.startsWith('net ')));
        return lab.heal();
      case 'cast':
        requests.set(`late ${step.job}`, await lab.begin('scatter', step.job, { beat }, { over: 'nodes' }));
        return;
      case 'abort':
        await Promise.all(Array.from(requests.values(), (request) => request.abort()));
        return this.#did('abort', []);
      case 'exit':
        this.#hurt('kill-coordinator', 'coordinator');
        this.exitedAt = lab.timeline.note('coordinator', 'kill', 'casts, and calls process.exit');
        void lab.coordinator.tell('exitAfterCast', 'spin', { beat }).catch(() => undefined);
        await lab.coordinator.gone('the coordinator');
        return this.#did('exit', []);
      case 'close':
        this.closedAt = lab.timeline.note('coordinator', 'end', 'closes');
        await lab.coordinator.tell('close');
        return this.#did('close', []);
      case 'restart':
        await lab.restartAgent(victim);
        return this.#did('restart', []);
      case 'fill':
        this.#note('fill', [victim], Infinity);
        lab.fillDisk(victim);
        return this.#did('fill', []);
      case 'room':
        this.#end(({ kind }) => kind === 'fill');
        return lab.makeRoom(victim);
      case 'files': {
        const files = step.more === undefined ? Infinity : (descriptorsOf(lab.node(victim).pid) ?? 0) + step.more;
        this.#note('files', [victim], Infinity);
        lab.limit(victim, { files });
        return this.#did('files', []);
      }
    }
  }

  #hurt(kind: string, whom: Victim, until = now()): void {
    const { victim } = this.#run;
    const hit = { coordinator: 'c', guardian: 'g', agent: victim, reaper: victim, executors: `x ${victim}` }[whom];
    this.#note(kind, [hit], until);
  }

  /** A fault without an end of its own lasts until something says that it is over. */
  #note(kind: string, hits: readonly string[], until: number): void {
    this.faults.push({ kind, hits, at: now(), until });
  }

  #over(whom: Victim): void {
    const hit = whom === 'coordinator' ? 'c' : whom === 'guardian' ? 'g' : this.#run.victim;
    this.#end(({ hits, kind }) => hits.includes(hit) && /^st(all|op)-/.test(kind));
  }

  #end(which: (fault: FaultEvidence) => boolean): void {
    for (const [i, fault] of this.faults.entries())
      if (fault.until === Infinity && which(fault)) this.faults[i] = { ...fault, until: now() };
  }

  #did(what: string, whom: readonly Victim[]): void {
    this.#done.add(whom.length === 0 ? what : `${what} ${whom.join('+')}`);
  }

  #party(whom: Victim): string {
    const { victim } = this.#run;
    if (whom === 'agent') return victim;
    return whom === 'reaper' || whom === 'executors' ? `${whom} of ${victim}` : whom;
  }
}
