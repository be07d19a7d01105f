import { now } from '../process/child.ts';
import type { Actor } from './actor.ts';
import type { Evidence, RequestEvidence } from './history.ts';
import type { Run } from './run.ts';
import type { Watch } from './watch.ts';

/** What a run has seen, for the rules. The run's coordinators are dead by then, and said before what became of their requests. */
export function evidenceOf({ lab, scenario, states }: Run, watch: Watch, actor: Actor): Evidence {
  const end = now();
  const [first] = lab.coordinators;
  const requests = Array.from(states, ([name, { at, state }]): RequestEvidence => {
    return { name, life: first?.pid ?? 0, at, state, expected: scenario.expect.codes ?? [] };
  });
  return {
    agents: lab.agents,
    deaths: watch.deaths,
    coordinators: lab.coordinators.map(({ pid, incarnations, ending, killedAt, errors }) => {
      const [closed, left] = pid === first?.pid ? [actor.closedAt, actor.exitedAt] : [];
      return {
        pid,
        incarnations,
        gone: closed ?? left ?? killedAt ?? ending?.at,
        closed: closed !== undefined,
        errors,
      };
    }),
    guardians: [...watch.guardians.values()],
    faults: actor.faults.map((fault) => ({ ...fault, until: Math.min(fault.until, end) })),
    requests,
    left: lab.orphans().map(({ node, pid, command }) => ({ node, what: `process ${pid} ${command}` })),
    end,
  };
}
