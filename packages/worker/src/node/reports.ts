/** What a node tells operators and observers. Nothing here changes anything, and no list is without an end. */
import type { FailureFacts, JobFacts, NodeFacts, OperationAnswers, Peer, SessionFacts } from '@muster/rexi';
import { mostListed } from '@muster/rexi';
import type { Job } from './job.ts';
import { aText, fieldsOf, whole } from './question.ts';
import type { Requests } from './requests.ts';
import type { Session } from './sessions.ts';

/** How many items a list has where the question does not say. */
const usual = 1_000;
const limit = whole(1, mostListed);

export function nodeFacts({ agent, clock, began, shell, sessions, lanes, objects }: Requests): NodeFacts {
  const { all, rowsSent, tombstones, draining } = agent.jobs;
  return {
    node: agent.id,
    incarnation: agent.incarnation,
    uptime: Math.round(clock.now() - began),
    draining,
    logLevel: shell.log.level,
    jobs: all.length,
    sessions: sessions.all.length,
    rows: rowsSent,
    tombstones,
    links: agent.links,
    lanes: lanes.load,
    objects: { ...objects.table.stats() },
  };
}

export function sessionFacts(requests: Requests, value: unknown): OperationAnswers['node-sessions'] {
  const { agent, sessions } = requests;
  const { limit: most = usual } = fieldsOf(value, { limit });
  const { all } = sessions;
  const peers = byIncarnation(agent.peers);
  const some = all.slice(0, most).map((session) => sessionOf(requests, session, peers.get(session.incarnation) ?? []));
  return { sessions: some, more: all.length - some.length };
}

function sessionOf({ agent, clock, sessions }: Requests, session: Session, peers: readonly Peer[]): SessionFacts {
  return {
    coordinator: session.incarnation,
    name: peers[0]?.id,
    session: session.number,
    state: session.state === 'open' ? 'open' : 'waiting',
    linked: peers.some(({ role }) => role === 'coordinator'),
    guarded: peers.some(({ role }) => role === 'guardian'),
    lease: Math.max(0, Math.round(sessions.leaseEnd(session) - clock.now())),
    jobs: agent.jobs.count(session),
  };
}

export function jobFacts({ agent, clock }: Requests, value: unknown): OperationAnswers['node-jobs'] {
  const { limit: most = usual, coordinator, job: name } = fieldsOf(value, { limit, coordinator: aText, job: aText });
  const fit = agent.jobs.all.filter(
    ({ session, entry }) =>
      (coordinator === undefined || session.incarnation === coordinator) && (name === undefined || entry.name === name),
  );
  const some = fit.sort((a, b) => a.since - b.since).slice(0, most);
  const peers = byIncarnation(agent.peers);
  const now = clock.now();
  return {
    jobs: some.map((job) => jobOf(job, now, peers.get(job.session.incarnation)?.[0]?.id)),
    more: fit.length - some.length,
  };
}

function jobOf({ task, entry, session, state, since, sent }: Job, now: number, name: string | undefined): JobFacts {
  return {
    ref: task.ref,
    job: entry.name,
    coordinator: session.incarnation,
    name,
    state,
    age: Math.round(now - since),
    rows: sent.rows,
    queue: entry.lane,
  };
}

export function errorFacts({ agent, clock }: Requests): FailureFacts[] {
  const now = clock.now();
  return agent.jobs.failures.list.map(({ at, ...failure }) => ({ ...failure, age: Math.round(now - at) }));
}

/** Links of coordinators and their guardians, which have the same name. */
function byIncarnation(peers: readonly Peer[]): Map<string, Peer[]> {
  const found = new Map<string, Peer[]>();
  for (const peer of peers) {
    if (peer.role !== 'coordinator' && peer.role !== 'guardian') continue;
    const known = found.get(peer.incarnation);
    if (known === undefined) found.set(peer.incarnation, [peer]);
    else known.push(peer);
  }
  return found;
}
