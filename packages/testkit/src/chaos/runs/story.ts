import type { Span } from '../lab/timeline.ts';
import { jobSpans } from '../lab/timeline.ts';
import type { LabEvent } from '../lab/timeline.ts';
import type { ProxyEvent } from '../proxy/proxy.ts';
import type { Run } from './run.ts';

/** What happened in a run, for somebody who wants to see it: times in milliseconds since the epoch. */
export interface Story {
  readonly parties: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly events: readonly LabEvent[];
  readonly spans: readonly Span[];
  /** What the proxy in front of each node has logged. */
  readonly links: readonly (ProxyEvent & { readonly node: string })[];
}

export function storyOf({ lab }: Run, deaths: ReadonlyMap<number, number>, to: number): Story {
  const events = [...lab.timeline.events].sort((a, b) => a.at - b.at);
  return {
    parties: ['coordinator', 'guardian', ...lab.nodes.keys()],
    from: events[0]?.at ?? to,
    to,
    events,
    spans: lab.agents.flatMap((node) => jobSpans(node, deaths, to)),
    links: [...lab.proxies].flatMap(([node, { log }]) => log.map((event) => ({ ...event, node }))),
  };
}
