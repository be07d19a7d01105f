/** What an operator may change at a node. Each is told in the node's history, with who it was. */
import type { OperationAnswers, Peer } from '@muster/rexi';
import { logLevels, mostListed, parseRef } from '@muster/rexi';
import type { Job } from './job.ts';
import type { Reason } from './jobs-port.ts';
import { aText, bad, fieldsOf, oneOf, texts, whole } from './question.ts';
import type { Requests } from './requests.ts';

/** A timer of more milliseconds than this fires at once. */
const longestTimer = 2 ** 31 - 1;

/** Kills, and answers when nothing of it is left; or in time with what is. */
export async function kill(requests: Requests, { id }: Peer, value: unknown): Promise<OperationAnswers['kill']> {
  const { agent, clock, constants, note } = requests;
  const { refs, coordinator, why = '' } = fieldsOf(value, { refs: texts, coordinator: aText, why: aText });
  const { found, unknown } = chosen(requests, refs, coordinator);
  note('operator', { by: id, did: 'kill', refs: found.map(({ task }) => task.ref), why });
  const gone = agent.jobs.killAll(found, reasonOf(id, why));
  const late = new Promise<void>((resolve) => clock.after(constants.killGrace + constants.kill, resolve));
  await Promise.race([gone, late]);
  const left = found.filter((job) => agent.jobs.has(job)).map(({ task }) => task.ref);
  return { killed: found.length - left.length, unknown, left: left.slice(0, mostListed) };
}

function chosen(
  { agent }: Requests,
  refs: readonly string[] | undefined,
  coordinator: string | undefined,
): { found: Job[]; unknown: string[] } {
  if ((refs === undefined) === (coordinator === undefined)) {
    throw bad('A kill names its jobs by refs, or all of one by coordinator: one of the two.');
  }
  if (coordinator !== undefined) return { found: agent.jobs.of(coordinator), unknown: [] };
  const found = new Set<Job>();
  const unknown: string[] = [];
  for (const ref of refs ?? []) {
    const job = agent.jobs.find(parseRef(ref));
    if (job === undefined) unknown.push(ref);
    else found.add(job);
  }
  return { found: [...found], unknown };
}

/** Who and why, as rule 1 wants it. */
function reasonOf(id: string, why: string): Reason {
  const message = why === '' ? `Killed by the operator "${id}".` : `Killed by the operator "${id}": ${why}`;
  return { code: 'killed', detail: `operator ${id}`, message };
}

export function drain(requests: Requests, { id }: Peer, value: unknown): OperationAnswers['drain'] {
  const { agent, constants, shell, note } = requests;
  const { ms = constants.drain } = fieldsOf(value, { ms: whole(0, longestTimer) });
  note('operator', { by: id, did: 'drain', ms });
  const jobs = agent.jobs.all.length;
  shell.drain(ms);
  return { jobs, ms };
}

export function logLevel({ shell, note }: Requests, { id }: Peer, value: unknown): OperationAnswers['log-level'] {
  const { level } = fieldsOf(value, { level: oneOf(...logLevels) });
  if (level === undefined) throw bad(`The field "level" is missing; it is ${logLevels.join(', ')}.`);
  const before = shell.log.level;
  note('operator', { by: id, did: 'log-level', level });
  shell.log.level = level;
  return { before, level };
}
