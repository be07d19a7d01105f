import { guard, valueLimits } from '@muster/rexi';
import { BadWord } from '../executor/bad-word.ts';
import type { ExecutorEvents, Totals } from '../executor/executor.ts';
import { checkNotice } from '../executor/notice.ts';
import { jobOver, packRefusal } from '../executor/refusal.ts';
import type { Job, JobState } from './job.ts';
import { exceedsWindow } from './job.ts';
import type { Jobs } from './jobs.ts';

/**
 * What an executor says of one job, and what becomes of it. A job that is dying says nothing any more to its coordinator.
 * User code shares the executor, so its words are looked over before the node passes them on as its own: what throws
 * here ends the executor. Values are not decoded for that.
 */
export function listen(jobs: Jobs, job: Job): ExecutorEvents {
  const { session, counter } = job;
  const { port } = jobs;
  const alive = (): boolean => job.state !== 'dying';
  return {
    taken() {
      if (job.state !== 'sent') return;
      if (job.entry.stream) jobs.awaitStart(job);
      else job.state = 'running';
    },
    rows(_task, count, batch) {
      if (!alive()) return;
      if (count < 1) throw new BadWord('rows without a row');
      if (exceedsWindow(job, count, batch.length)) {
        jobs.breached(job, { code: 'limit', detail: 'window', message: 'The executor sent more than its window.' });
        return;
      }
      guard(batch, valueLimits, count);
      if (!jobs.tell(job, { type: 'rows', counter, first: job.sent.rows, count, batch })) return;
      jobs.rowsSent += count;
      job.sent = { rows: job.sent.rows + count, bytes: job.sent.bytes + batch.length };
    },
    parked: (_task, seen) => {
      // Credit that is under way wakes it by itself; it still holds its slot then.
      if (job.state !== 'streaming' || isOlder(seen, job.acked)) return;
      job.state = 'parked';
      jobs.park(job);
    },
    reply(_task, value, keys) {
      if (alive()) checkEnd(job, value, 'running');
      if (alive()) jobs.outlets.flush(job);
      if (alive() && jobs.tell(job, { type: 'reply', counter, value })) port.adopt(session, keys);
      jobs.finish(job);
    },
    last(_task, value, keys) {
      if (alive()) checkEnd(job, value, 'streaming', 'parked', 'resuming');
      if (alive()) jobs.outlets.flush(job);
      if (alive() && jobs.tell(job, { type: 'last', counter, rows: job.sent.rows, value })) port.adopt(session, keys);
      jobs.finish(job);
    },
    rowKeys(_task, keys) {
      if (alive()) port.adopt(session, keys);
    },
    failed(_task, failure) {
      if (failure.error.length > 0) guard(failure.error, valueLimits);
      jobs.fail(job, failure);
    },
    stopped() {
      if (alive()) throw new BadWord('a job stopped that was not asked to');
      jobs.finish(job);
    },
    notice(_task, notice) {
      if (!alive()) return;
      checkNotice(notice);
      jobs.outlets.hear(job, notice);
    },
    request(_task, request, operation, payload) {
      const executor = job.executor;
      // What it put now would belong to nobody who ends again.
      if (!alive()) return executor?.answer(request, false, jobOver);
      port.operate(job, operation, payload).then(
        (answer) => executor?.answer(request, true, answer),
        (error: unknown) => executor?.answer(request, false, packRefusal(error)),
      );
    },
    exited: (cause) =>
      jobs.fail(job, { code: 'executor_lost', detail: cause, message: `The executor died under the job: ${cause}.` }),
  };
}

/** Whether the job can end so now, with what can be read. @throws BadWord; ProtocolError `badValue` */
function checkEnd({ state }: Job, value: Uint8Array, ...states: readonly JobState[]): void {
  if (!states.includes(state)) throw new BadWord(`a value of a job that is ${state}`);
  guard(value, valueLimits);
}

function isOlder(seen: Totals, acked: Totals): boolean {
  return seen.rows < acked.rows || seen.bytes < acked.bytes;
}
