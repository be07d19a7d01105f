import type { Span } from '../lab/timeline.ts';
import { jobSpans } from '../lab/timeline.ts';
import type { LabEvent } from '../lab/timeline.ts';
import type { ProxyEvent } from '../proxy/proxy.ts';
import type { Run } from './run.ts';
import type { Watch } from './watch.ts';

/** What happened in a run, for somebody who wants to see it: times in milliseconds since the epoch. */
export interface Story {
  readonly parties: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly events: readonly LabEvent[];
  /** Jobs. */
  readonly spans: readonly Span[];
  /** Processes of coordinators, guardians and agents. */
  readonly lives: readonly Span[];
  /** What the proxy in front of each node has logged. */
  readonly links: readonly (ProxyEvent & { readonly node: string })[];
}

export function storyOf({ lab }: Run, { deaths, guardians }: Watch, to: number): Story {
  const events = [...lab.timeline.events].sort((a, b) => a.at - b.at);
  return {
    parties: ['coordinator', 'guardian', ...lab.nodes.keys()],
    from: Math.min(...lab.agents.map(({ begun }) => begun), events[0]?.at ?? to),
    to,
    events,
    spans: lab.agents.flatMap((node) => jobSpans(node, deaths, to)),
    lives: [
      ...lab.coordinators.map(({ pid, begun, ending }) => lifeOf('coordinator', pid, begun, ending?.at ?? to)),
      ...Array.from(guardians.values(), ({ pid, up, gone }) => lifeOf('guardian', pid, up, gone ?? to)),
      ...lab.agents.map(({ id, pid, begun, ending }) => lifeOf(id, pid, begun, ending?.at ?? to)),
    ],
    links: [...lab.proxies].flatMap(([node, { log }]) => log.map((event) => ({ ...event, node }))),
  };
}

function lifeOf(party: string, pid: number, from: number, to: number): Span {
  return { party, what: `process ${pid}`, from, to };
}
