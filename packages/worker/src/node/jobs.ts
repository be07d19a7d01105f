import type { Ack, Cast, Clock, Constants, ErrorCode, Kill, Message, Ref, StreamStart } from '@muster/rexi';
import { CloseCode, ClusterError, formatRef, ProtocolError, traceOf } from '@muster/rexi';
import type { Executors, Failure, Task } from '../executor/executor.ts';
import type { Log } from '../log/log.ts';
import { noLog } from '../log/log.ts';
import { Failures } from './failures.ts';
import type { JobsPort, Reason } from './jobs-port.ts';
import type { Job } from './job.ts';
import { newJob } from './job.ts';
import { listen } from './job-events.ts';
import type { Table } from './job-tables.ts';
import { JobTables } from './job-tables.ts';
import type { Lanes } from './lanes.ts';
import { Outlets } from './outlets.ts';
import { recordLines } from './record.ts';
import { Placing } from './placing.ts';
import type { EndedBy, Session, SessionEndCode } from './sessions.ts';

export interface JobsOptions {
  readonly clock: Clock;
  readonly constants: Constants;
  readonly executors: Executors;
  readonly lanes: Lanes;
  readonly port: JobsPort;
  /** Takes the lines of jobs. Default: nowhere. */
  readonly log?: Log;
}

/** The job table of a node: every cast ends in exactly one of reply, last, exit, or without a word when its own coordinator no longer wants it. */
export class Jobs {
  readonly clock: Clock;
  readonly constants: Constants;
  readonly executors: Executors;
  readonly port: JobsPort;
  readonly failures: Failures = new Failures();
  readonly outlets: Outlets;
  readonly #tables: JobTables = new JobTables();
  readonly #placing: Placing;
  readonly #idle: (() => void)[] = [];
  /** Rows sent by all jobs since the node began. */
  rowsSent = 0;
  readonly #lanes: Lanes;
  #draining = false;
  #tasks = 0;

  constructor({ clock, constants, executors, lanes, port, log = noLog }: JobsOptions) {
    this.clock = clock;
    this.constants = constants;
    this.executors = executors;
    this.port = port;
    this.#lanes = lanes;
    this.outlets = new Outlets({
      constants,
      tell: (job, message, left) => this.tell(job, message, left),
      said: (job, lines) => recordLines(log, job, lines),
    });
    this.#placing = new Placing({
      clock,
      executors,
      lanes,
      listen: (job) => listen(this, job),
      started: ({ task, entry }, { pid }) =>
        port.note('start', { ref: task.ref, job: entry.name, pid, ...traced(task) }),
    });
  }

  /** All jobs that are not gone. */
  get all(): Job[] {
    return this.#tables.all;
  }

  /** Jobs of an incarnation that are not gone. */
  of(incarnation: string): Job[] {
    return this.#tables.jobsOf(incarnation);
  }

  /** Jobs of a session that are not gone. */
  count(session: Session): number {
    return this.#tables.find(session)?.jobs.size ?? 0;
  }

  find(ref: Ref): Job | undefined {
    return this.#tables.named(ref);
  }

  /** Whether anything of the job is left. */
  has(job: Job): boolean {
    return this.#tables.job(job.session, job.counter) === job;
  }

  /** New casts are refused, and the node ends when what runs has ended. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Tombstones of all sessions together. */
  get tombstones(): number {
    return this.#tables.tombstones;
  }

  cast(session: Session, cast: Cast): void {
    const { counters } = this.#tables.of(session);
    for (const part of cast.parts) {
      const verdict = counters.cast(part.counter);
      if (verdict === 'duplicate') continue;
      if (verdict === 'killed')
        this.#exit(session, part.counter, subjectOf(cast, part.counter), {
          code: 'killed',
          detail: 'coordinator',
          message: 'Killed before it was cast.',
        });
      else this.#begin(session, cast, part);
    }
  }

  start(session: Session, { counter, rows, bytes }: StreamStart): void {
    const job = this.#tables.job(session, counter);
    if (job?.state !== 'waiting') return;
    if (rows < 1) throw new ProtocolError(CloseCode.badState, 'The peer granted a window without a row.');
    job.window = { rows, bytes };
    this.#awaitAck(job);
    this.#placing.resume(job, (executor) => executor.start(job.task.id, job.window));
  }

  ack(session: Session, { counter, rows, bytes }: Ack): void {
    const job = this.#tables.job(session, counter);
    if (job === undefined || job.state === 'dying') return;
    if (rows > job.sent.rows || bytes > job.sent.bytes || rows < job.acked.rows || bytes < job.acked.bytes) {
      throw new ProtocolError(CloseCode.badState, `The peer acked ${rows} rows of ${job.sent.rows} sent.`);
    }
    job.lastAck = this.clock.now();
    if (rows === job.acked.rows && bytes === job.acked.bytes) return;
    job.acked = { rows, bytes };
    if (job.state === 'parked') this.#placing.resume(job, (executor) => executor.credit(job.task.id, job.acked));
    else if (job.state === 'streaming') job.executor?.credit(job.task.id, job.acked);
  }

  /** The coordinator wants no more of it: it ends without a word. */
  cancel(session: Session, counter: number): void {
    const job = this.#tables.job(session, counter);
    if (job !== undefined) this.end(job, this.constants.killGrace, undefined);
  }

  /**
   * Kills; resolves when the processes are gone, where that is to be confirmed. `by` names a killer other than the jobs'
   * own coordinator.
   * @throws ProtocolError `badState` for more kills of casts that were never read than can be kept.
   */
  kill(session: Session, { counters, grace, confirm }: Kill, by?: 'guardian'): Promise<unknown> {
    const table = this.#tables.of(session);
    const dying: Promise<void>[] = [];
    for (const counter of new Set(counters)) {
      const job = table.jobs.get(counter);
      if (job === undefined) table.counters.killed(counter);
      else {
        // Whoever does not ask is not remembered: one job may be killed any number of times while it dies.
        if (confirm !== 0) dying.push(new Promise((resolve) => job.mourners.push(resolve)));
        this.end(job, grace, by && { code: 'killed', detail: by, message: `Killed by its ${by}.` });
      }
    }
    return Promise.all(dying);
  }

  /** Kills for somebody who is not the jobs' coordinator, which hears `reason`. Resolves when the processes are gone. */
  async killAll(jobs: readonly Job[], reason: Reason): Promise<void> {
    const gone = jobs.map((job) => new Promise<void>((resolve) => job.mourners.push(resolve)));
    for (const job of jobs) this.end(job, this.constants.killGrace, reason);
    await Promise.all(gone);
  }

  /** The session is over: nothing of it lives on. */
  endSession(session: Session, code: SessionEndCode, by: EndedBy): void {
    const table = this.#tables.of(session);
    table.ended = { code, by };
    this.port.note('session-ended', {
      incarnation: session.incarnation,
      session: session.number,
      by,
      jobs: table.jobs.size,
    });
    for (const job of [...table.jobs.values()])
      this.end(job, 0, { code, detail: by, message: `The session was ended by ${by}.` });
    this.#placing.drained(session);
    this.executors.retire(session.incarnation);
    this.#bury(session, table);
  }

  /** Counters of the incarnation's jobs that are not gone. */
  left(incarnation: string): number[] {
    return this.of(incarnation).map(({ counter }) => counter);
  }

  /** New casts go elsewhere; what runs has `ms` milliseconds. */
  drain(ms: number): void {
    this.#draining = true;
    this.clock.after(ms, () => {
      const reason: Reason = { code: 'maintenance', detail: 'drain', message: 'The node has drained for its time.' };
      for (const job of this.all) this.end(job, 0, reason);
    });
  }

  /** Resolves when there is no job. */
  idle(): Promise<void> {
    return this.all.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The link has room again. */
  drained(session: Session): void {
    this.#placing.drained(session);
  }

  /** While too many bytes wait for the link, the session's executors are not read: neither rows nor values pile up. */
  #throttle(job: Job): void {
    const { inFlight, inFlightMax } = this.constants;
    // Never below what a link calls drained: nobody would tell when to go on.
    if (this.port.waiting(job.session) >= Math.max(inFlight, inFlightMax)) this.#placing.pause(job);
  }

  /**
   * Ends a job before its time. Its coordinator hears `reason` at once, or nothing where there is none; what runs of it
   * is asked, and after the grace killed.
   */
  end(job: Job, grace: number, reason: Reason | undefined): void {
    if (job.state === 'dying') {
      if (grace === 0) this.#killExecutor(job, 'kill');
      return;
    }
    if (reason !== undefined) this.#exit(job.session, job.counter, job.task, reason);
    this.#still(job);
    this.outlets.forget(job);
    job.state = 'dying';
    this.#tables.of(job.session).killed += 1;
    this.#stop(job, grace, reason?.code ?? 'cancelled');
  }

  /**
   * Says something of a job to its coordinator; false where it is too large for any message, and the job ends for it.
   * @throws nothing: what one job says must not end the node.
   */
  tell(job: Job, message: Message, left?: () => void): boolean {
    try {
      this.port.send(job.session, message, left);
      this.#throttle(job);
      return true;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.end(job, this.constants.killGrace, { code: 'limit', detail: 'message', message: error.message });
      return false;
    }
  }

  /** Its executor has broken the seam's rules for this job: it cannot be trusted with an abort. */
  breached(job: Job, reason: Reason): void {
    this.end(job, 0, reason);
    this.#killExecutor(job, 'breach');
  }

  /** The job has failed by itself. */
  fail(job: Job, reason: Reason | Failure): void {
    if (job.state !== 'dying') this.outlets.flush(job);
    if (job.state !== 'dying') {
      this.#exit(job.session, job.counter, job.task, { ...reason, error: reason.error ?? new Uint8Array() });
      this.port.note('exit', { ref: job.task.ref, job: job.entry.name, code: reason.code, ...traced(job.task) });
      this.#throttle(job); // What it has thrown may be as large as a value.
    }
    this.finish(job);
  }

  /** Nothing of the job runs any more. */
  finish(job: Job): void {
    this.#still(job);
    const table = this.#tables.find(job.session);
    if (table?.jobs.get(job.counter) !== job) return;
    table.jobs.delete(job.counter);
    this.outlets.forget(job);
    this.#placing.leave(job);
    this.port.release(job.task.id);
    this.port.note('gone', { ref: job.task.ref });
    for (const told of job.mourners) told();
    if (this.#idle.length > 0 && this.all.length === 0) for (const told of this.#idle.splice(0)) told();
    this.#bury(job.session, table);
  }

  #begin(session: Session, cast: Cast, { counter, shard }: Cast['parts'][number]): void {
    const refuse = (code: ErrorCode, message: string): void =>
      this.#exit(session, counter, subjectOf(cast, counter), { code, detail: '', message });
    if (this.#draining) return refuse('maintenance', 'The node is draining.');
    const entry = this.executors.jobs.get(cast.job);
    if (entry === undefined) return refuse('unknown_job', `The node has no job "${cast.job}".`);
    // Before anything is made for it: there may be thousands of them in one message.
    const full = this.#full(session, entry.lane);
    if (full !== undefined) return refuse('overloaded', full);
    const ref = formatRef({ incarnation: session.incarnation, counter });
    const id = (this.#tasks += 1);
    const timeLeft = cast.timeLeft > 0 ? { timeLeft: cast.timeLeft } : {};
    const { args, inlineUpTo } = cast;
    const task = { id, ...subjectOf(cast, counter), ref, args, shard, inlineUpTo, ...timeLeft };
    const job = newJob({ session, counter, entry, task, priority: cast.priority, since: this.clock.now() });
    this.#tables.of(session).jobs.set(counter, job);
    if (cast.timeLeft > 0) job.deadline = this.clock.after(cast.timeLeft, () => this.#expired(job));
    void this.#place(job);
  }

  #full(session: Session, lane: string): string | undefined {
    const { jobs: most } = this.constants;
    if (this.#tables.of(session).jobs.size >= most) return `${most} jobs of the session are under way already.`;
    return this.#lanes.full(lane);
  }

  async #place(job: Job): Promise<void> {
    try {
      await this.#placing.place(job);
    } catch (error) {
      if (job.state === 'dying') return; // It was killed while it waited.
      if (!(error instanceof ClusterError)) throw error;
      this.fail(job, { code: error.code, detail: error.detail ?? '', message: error.message });
    }
  }

  /** Asks what runs to stop, and kills it after the grace; at once where there is none and nobody else would suffer. */
  #stop(job: Job, grace: number, reason: string): void {
    const { executor } = job;
    if (executor === undefined) return this.finish(job);
    this.#placing.hear(job);
    if (grace === 0 && !this.#placing.hasNeighbours(job)) return this.#killExecutor(job, 'kill');
    const patience = grace === 0 ? this.constants.killGrace : grace;
    job.wait = this.clock.after(patience, () => this.#killExecutor(job, 'grace'));
    executor.abort(job.task.id, reason);
  }

  /** Gives the slot back: a job that waits must not keep others from running. */
  park(job: Job): void {
    this.#placing.park(job);
  }

  /** The stream's executor has it; now the coordinator must choose it. */
  awaitStart(job: Job): void {
    job.state = 'waiting';
    this.park(job);
    job.wait = this.clock.after(this.constants.startWait, () => this.#timedOut(job, 'start'));
    this.port.send(job.session, { type: 'stream-init', counter: job.counter });
  }

  #awaitAck(job: Job): void {
    job.lastAck = this.clock.now();
    job.wait?.cancel();
    const look = (): void => {
      const left = job.lastAck + this.constants.ackWait - this.clock.now();
      if (left > 0) job.wait = this.clock.after(left, look);
      else this.#timedOut(job, 'ack');
    };
    job.wait = this.clock.after(this.constants.ackWait, look);
  }

  #timedOut(job: Job, of: string): void {
    this.end(job, this.constants.killGrace, { code: 'timeout', detail: of, message: `No ${of} came for too long.` });
  }

  #expired(job: Job): void {
    const reason: Reason = { code: 'deadline', detail: '', message: 'The overall timeout has passed.' };
    this.end(job, this.constants.killGrace, reason);
  }

  #killExecutor(job: Job, why: string): void {
    job.wait?.cancel();
    void job.executor?.kill(`${why} of ${job.task.ref}`);
  }

  #still(job: Job): void {
    job.wait?.cancel();
    job.wait = undefined;
    job.deadline?.cancel();
    job.deadline = undefined;
    this.park(job);
  }

  #exit(session: Session, counter: number, { job, trace }: Subject, reason: Reason): void {
    const { code, error = new Uint8Array() } = reason;
    // Both may come from a job, whatever its length: what does not fit its field must not end the agent.
    const [detail, message] = [reason.detail.slice(0, 256), reason.message.slice(0, 1024)];
    const ref = formatRef({ incarnation: session.incarnation, counter });
    this.failures.add({ ref, job, code, detail, message, ...(trace && { trace }), at: this.clock.now() });
    const exit = { type: 'exit', counter, code, detail, message } as const;
    try {
      this.port.send(session, { ...exit, error });
    } catch (cause) {
      if (!(cause instanceof ClusterError)) throw cause;
      this.port.send(session, { ...exit, error: new Uint8Array() }); // A thrown error too large for any message.
    }
  }

  #bury(session: Session, table: Table): void {
    if (table.ended === undefined || table.jobs.size > 0 || !this.#tables.delete(session)) return;
    this.port.note('session-gone', {
      incarnation: session.incarnation,
      session: session.number,
      killed: table.killed,
      ...table.ended,
    });
    this.outlets.close(session);
    this.port.gone(session, table.killed);
  }
}

/** What a job's end is about. */
type Subject = Pick<Task, 'job' | 'trace'>;

function subjectOf({ job, trace }: Cast, counter: number): Subject {
  return { job, trace: trace && traceOf(trace, counter) };
}

/** The trace as a fact of the node's history, where there is one. */
function traced({ trace }: Task): Partial<Pick<Task, 'trace'>> {
  return trace === undefined ? {} : { trace };
}
