import { onAbort } from '@muster/rexi';
import type { ChildSpec, Running } from './spec.ts';
import { checkRules } from './spec.ts';
import type { SupervisorOptions } from './supervisor.ts';
import { errorOf, Supervisor } from './supervisor.ts';

/**
 * The spec of a supervisor that is a child of another one. Each start makes a new one from the same options.
 *
 * Its end by `autoShutdown` is a normal end. That it gave up is a failure, whose cause its parent is told and answers
 * by its own rules. (OTP ends it with `shutdown` both times, after which a transient one is not started again; here it is.)
 * Its children are given all the time that they have: `shutdown` is `infinity`, unless it is said.
 * @throws ClusterError `bad_options` for rules that are wrong.
 */
export function supervisorChild(
  id: string,
  options: SupervisorOptions,
  spec: Omit<ChildSpec, 'id' | 'start' | 'kind'> = {},
): ChildSpec {
  checkRules(options);
  return { ...spec, id, kind: 'supervisor', start: (signal) => startNested(options, signal) };
}

async function startNested(options: SupervisorOptions, signal: AbortSignal): Promise<Running> {
  signal.throwIfAborted();
  const supervisor = new Supervisor(options);
  const forget = onAbort(signal, () => void supervisor.abort('its own supervisor ends it'));
  void supervisor.ended.then(forget);
  // It rejects when nothing of it is left.
  await supervisor.up;
  return { ended: endOf(supervisor), stop: () => supervisor.close(), which: () => supervisor.which() };
}

async function endOf(supervisor: Supervisor): Promise<void> {
  const end = await supervisor.ended;
  if (end.why === 'gave-up') throw errorOf(end);
}
