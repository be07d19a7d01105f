import type { Clock, Constants, OperationName, Peer, Request, Response } from '@muster/rexi';
import { ClusterError, mayAsk, operationsOf, ProtocolError, ValueCodec } from '@muster/rexi';
import type { Executors } from '../executor/executor.ts';
import type { Agent } from './agent.ts';
import type { Lanes } from './lanes.ts';
import type { Objects } from './objects.ts';
import { drain, kill, logLevel } from './orders.ts';
import { errorFacts, jobFacts, nodeFacts, sessionFacts } from './reports.ts';
import type { Sessions } from './sessions.ts';
import type { Shell } from './shell.ts';

/** What a node can be asked. */
export interface Requests {
  readonly clock: Clock;
  readonly constants: Constants;
  readonly agent: Agent;
  readonly sessions: Sessions;
  readonly lanes: Lanes;
  readonly executors: Executors;
  readonly objects: Objects;
  readonly shell: Shell;
  /** When the node began, on its clock. */
  readonly began: number;
  /** One line of the node's history. */
  readonly note: (event: string, facts: Record<string, unknown>) => void;
}

/** Who asks, and where the answer goes. */
export interface Asker {
  readonly peer: Peer;
  /** @throws ClusterError `limit` for what no message can carry. */
  readonly send: (response: Response) => void;
}

/** `read` gives the value that came with the question. */
type Answer = (requests: Requests, peer: Peer, read: () => unknown) => unknown;

const codec = new ValueCodec();

/** Each answers with a plain value, or the promise of one. A coordinator sees its own jobs, and of others only how many there are. */
const answers: Readonly<Record<OperationName, Answer>> = {
  ping: () => 'pong',
  stats,
  jobs: ({ agent }, { incarnation }) =>
    agent.jobs.of(incarnation).map(({ task, entry, state, sent, since }) => ({
      ref: task.ref,
      job: entry.name,
      state,
      rows: sent.rows,
      since,
    })),
  errors: ({ agent }, { incarnation }) => agent.jobs.failures.list.filter(({ ref }) => ref.startsWith(incarnation)),
  'node-info': nodeFacts,
  'node-sessions': (requests, _peer, read) => sessionFacts(requests, read()),
  'node-jobs': (requests, _peer, read) => jobFacts(requests, read()),
  'node-errors': errorFacts,
  'node-config': ({ shell }) => shell.config(),
  kill: (requests, peer, read) => kill(requests, peer, read()),
  drain: (requests, peer, read) => drain(requests, peer, read()),
  'log-level': (requests, peer, read) => logLevel(requests, peer, read()),
};

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

/**
 * Answers one request; one that there is not, or that this role may not ask, with a sentence, and one with an answer
 * beyond any message with its limit.
 * @throws ProtocolError `badValue` for a value that cannot be unpacked.
 */
export async function answer(requests: Requests, { peer, send }: Asker, request: Request): Promise<void> {
  const { id, name } = request;
  try {
    if (!mayAsk(peer.role, name)) throw notAsked(peer, name);
    const made = answers[name](requests, peer, () => valueOf(request));
    const value = codec.pack(made instanceof Promise ? await made : made);
    send({ type: 'response', id, ok: true, value });
  } catch (error) {
    if (!(error instanceof ClusterError) || error instanceof ProtocolError) throw error;
    send({ type: 'response', id, ok: false, value: codec.pack(error.message) });
  }
}

/** No question needs more bytes than the longest list of references. */
const longest = 262_144;

function valueOf({ name, value }: Request): unknown {
  if (value.length > longest) {
    throw new ClusterError('limit', `What goes with "${name}" has ${longest} bytes at most, and not ${value.length}.`);
  }
  return value.length === 0 ? undefined : codec.unpack(value);
}

function notAsked({ role }: Peer, name: string): ClusterError {
  const known = operationsOf(role).join(', ');
  const whose = mayAsk('operator', name) && role === 'observer' ? ': that is for an operator' : '';
  return new ClusterError(
    'bad_options',
    `A node answers no request "${name}" of the role "${role}"${whose}; it answers ${known}.`,
  );
}
