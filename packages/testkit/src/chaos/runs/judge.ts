import type { RequestState } from '../coordinator/words.ts';
import { now } from '../process/child.ts';
import { isAlive } from '../process/machine.ts';
import { until } from '../process/wait.ts';
import type { Actor } from './actor.ts';
import type { Run } from './run.ts';
import { times } from './table.ts';
import type { Watch } from './watch.ts';

/** What may be late because the machine is busy with looking, in milliseconds: it is added to no bound that is reported. */
const lateLook = 3_000;
/** A guardian has gone so long after its coordinator; where nodes do not answer it waits for their leases first. */
const guardianGone = 1.1 * times.lease + 5_000;

/** A promise that was seen broken; `late`: something has come true, but not in time. */
export interface Broken {
  readonly what: string;
  readonly late: boolean;
}

export function broken(what: string): Broken {
  return { what, late: false };
}

function late(what: string): Broken {
  return { what, late: true };
}

/** Waits for what the scenario promises, then ends the coordinator and waits for what is always promised. */
export async function judge(run: Run, watch: Watch, actor: Actor, busy: boolean): Promise<Broken[]> {
  const { lab, scenario } = run;
  const { dead, within, told, codes = [], heard, guardian, renewed } = scenario.expect;
  const seen: Broken[] = [];
  const check = (holds: boolean, what: Broken): void => void (holds || seen.push(what));
  const { blow } = actor;
  const patience = busy ? 5 * lateLook : lateLook;

  if (guardian !== undefined) {
    const ms = await timeOf(blow, 'there is a guardian again', () => lab.coordinator.guardians.length > 0, guardian);
    check(ms <= guardian, late(`There was no guardian for ${ms} ms, and should be one after ${guardian}.`));
  }
  const alive = lab.coordinator.ending === undefined;
  if (dead === 'nobody') seen.push(...(await unhurt(run)));
  if (alive && told !== undefined) seen.push(...(await endsBy(run, blow, told)));
  if (dead === 'all' || dead === 'node') {
    const nodes = dead === 'all' ? [...lab.nodes.keys()] : [run.victim];
    const ms = await watch.silence(blow, nodes, within + patience);
    check(ms <= within, late(`The last job was alive after ${Math.round(ms)} ms; the bound is ${within} ms.`));
  }
  if (alive) {
    const all = new Set<string>();
    for (const [name, state] of await statesOf(run)) {
      check(state.inOrder, broken(`Rows of ${name} came twice, not in order, or with a gap.`));
      const said = state.error === undefined ? [] : (state.error.parts ?? [state.error]).map(({ code }) => code);
      for (const code of said) all.add(code);
      const wrong = said.filter((code) => !(codes as readonly string[]).includes(code));
      check(wrong.length === 0, broken(`The request ${name} ended with ${wrong.join(', ')}: ${state.error?.message}`));
    }
    check(heard === undefined || all.has(heard), late(`No request ended in ${heard}: the fault met none.`));
  }
  lab.heal();
  seen.push(...(await canary(run, renewed === true)));
  seen.push(...(await lastBlow(run, watch)));
  return seen;
}

/** Nothing was killed, and rows go on. */
async function unhurt({ lab, requests }: Run): Promise<Broken[]> {
  const seen: Broken[] = [];
  const tick = requests.get('tick');
  const { rows = 0 } = (await tick?.state()) ?? {};
  await tick
    ?.rows(rows + 20, 5_000)
    .catch(() => seen.push(late('No row came any more although nothing should have ended.')));
  for (const [name, request] of requests) {
    const { ended, error } = await request.state();
    if (ended)
      seen.push(broken(`The request ${name} ended with ${error?.code}, and should have gone on: ${error?.message}`));
  }
  const dead = lab.agents.flatMap((node) => node.running).filter(({ pid }) => !isAlive(Number(pid)));
  if (dead.length > 0) seen.push(broken(`Jobs died for no reason: ${dead.map(({ job }) => String(job)).join(', ')}.`));
  return seen;
}

/** Every request has ended in time. */
async function endsBy(run: Run, since: number, bound: number): Promise<Broken[]> {
  const all = async (): Promise<boolean> => (await statesOf(run)).every(([, { ended }]) => ended);
  await until('all requests have ended', all, since + bound + lateLook - now()).catch(() => undefined);
  return (await statesOf(run)).flatMap(([name, { ended, endedAt = Infinity }]) => {
    if (ended && endedAt - since <= bound) return [];
    const when = ended ? `after ${Math.round(endedAt - since)} ms` : 'not at all';
    return [late(`The request ${name} heard of it ${when}; the bound is ${bound} ms.`)];
  });
}

/** Once nothing is wrong any more, and every node is there again, a request succeeds, within two leases. */
async function canary({ lab, incarnations }: Run, renewed: boolean): Promise<Broken[]> {
  const bound = 2 * times.lease;
  for (const { id, ending } of lab.nodes.values()) if (ending !== undefined) await lab.restartAgent(id);
  const since = now();
  const closed = lab.timeline.events.some(({ party, kind }) => party === 'coordinator' && kind === 'end');
  try {
    if (lab.coordinator.ending !== undefined || closed) await lab.startCoordinator();
    const call = async (): Promise<boolean> => (await lab.call('add', { a: 1, b: 2 }).catch(() => 0)) === 3;
    await until('a call is answered', call, bound);
  } catch (error) {
    return [
      late(`${Math.round(now() - since)} ms after all was healed no request succeeds: ${(error as Error).message}`),
    ];
  }
  const same = incarnations.has(lab.coordinator.incarnation);
  return renewed && same ? [broken('The coordinator was fenced, and goes on under the same incarnation.')] : [];
}

/** Whatever has happened: the coordinator is killed, and then nothing is left but the nodes. */
async function lastBlow(run: Run, watch: Watch): Promise<Broken[]> {
  const { lab } = run;
  const bound = 1_000;
  if (lab.coordinators[0]?.ending === undefined) await statesOf(run);
  for (const coordinator of lab.coordinators.filter(({ ending }) => ending === undefined)) {
    coordinator.signal('SIGKILL');
    await coordinator.gone('the coordinator');
  }
  const since = lab.timeline.note('coordinator', 'kill', 'SIGKILL, at the end');
  const ms = await timeOf(
    since,
    'nothing runs',
    () => watch.orphans([...lab.nodes.keys()]).length === 0,
    bound + lateLook,
  );
  let left: string[] = [];
  await until('nothing is left', () => (left = lab.leftovers()).length === 0, guardianGone).catch(() => undefined);
  return [
    ...(ms > bound
      ? [late(`At the end the coordinator was killed, and a job was alive ${Math.round(ms)} ms after it.`)]
      : []),
    ...left.map((what) => broken(`There is something left: ${what}.`)),
  ];
}

/** What has become of the requests of the run, which is remembered for the rules. */
async function statesOf({ requests, states, lab }: Run): Promise<[string, RequestState][]> {
  const since = lab.timeline.events[0]?.at ?? 0;
  return Promise.all(
    Array.from(requests, async ([name, request]) => {
      const state = await request.state();
      states.set(name, { at: since, state });
      return [name, state] as [string, RequestState];
    }),
  );
}

/** How long after `since` something came true; Infinity when it did not within `bound` and some patience. */
async function timeOf(since: number, what: string, look: () => boolean, bound: number): Promise<number> {
  const seen = await until(what, () => look() && now(), since + bound + lateLook - now()).catch(() => Infinity);
  return Number(seen) - since;
}
