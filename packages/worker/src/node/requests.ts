import type { Peer, Request, Response } from '@muster/rexi';
import { ClusterError, ValueCodec } from '@muster/rexi';
import type { Executors } from '../executor/executor.ts';
import type { Agent } from './agent.ts';
import type { Lanes } from './lanes.ts';
import type { Objects } from './objects.ts';

/** What a node can be asked. */
export interface Requests {
  readonly agent: Agent;
  readonly lanes: Lanes;
  readonly executors: Executors;
  readonly objects: Objects;
}

/** Who asks, and where the answer goes. */
export interface Asker {
  readonly peer: Peer;
  /** @throws ClusterError `limit` for what no message can carry. */
  readonly send: (response: Response) => void;
}

const codec = new ValueCodec();

/** By name; each answers with a plain value. A coordinator sees its own jobs, and of others only how many there are. */
const answers: ReadonlyMap<string, (requests: Requests, peer: Peer) => unknown> = new Map<
  string,
  (requests: Requests, peer: Peer) => unknown
>([
  ['stats', stats],
  [
    'jobs',
    ({ agent }, peer) =>
      agent.jobs.all
        .filter(({ session }) => session.incarnation === peer.incarnation)
        .map(({ task, entry, state, sent, since }) => ({
          ref: task.ref,
          job: entry.name,
          state,
          rows: sent.rows,
          since,
        })),
  ],
  ['errors', ({ agent }, peer) => agent.jobs.failures.list.filter(({ ref }) => ref.startsWith(peer.incarnation))],
  ['ping', () => 'pong'],
]);

function stats({ agent, lanes, objects }: Requests): unknown {
  const { all, rowsSent, tombstones } = agent.jobs;
  return {
    node: agent.id,
    jobs: all.length,
    rows: rowsSent,
    tombstones,
    links: agent.links,
    lanes: lanes.load,
    objects: objects.table.stats(),
  };
}

/** Answers one request; an unknown one with a sentence, and one with an answer beyond any message with its limit. */
export function answer(requests: Requests, { peer, send }: Asker, { id, name }: Request): void {
  const make = answers.get(name);
  if (make === undefined) {
    const known = [...answers.keys()].join(', ');
    return send(
      refusal(id, new ClusterError('bad_options', `A node answers no request "${name}"; it answers ${known}.`)),
    );
  }
  try {
    send({ type: 'response', id, ok: true, value: codec.pack(make(requests, peer)) });
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    send(refusal(id, error));
  }
}

function refusal(id: number, error: ClusterError): Response {
  return { type: 'response', id, ok: false, value: codec.pack(error.message) };
}
