import type { Constants, Message } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import { BadWord } from '../executor/bad-word.ts';
import type { Notice } from '../executor/notice.ts';
import { droppedLine, sizeOf } from '../executor/notice.ts';
import type { Job } from './job.ts';
import type { Session } from './sessions.ts';

export interface OutletsOptions {
  readonly constants: Pick<Constants, 'inFlight' | 'noticeQueue'>;
  /** Sends in the job's session; `left` is called when the message is handed to the link. False: the job has ended for it. */
  readonly tell: (job: Job, message: Message, left?: () => void) => boolean;
  /** The job has said these lines, whether or not they leave; each is told once. Default: nobody is told. */
  readonly said?: (job: Job, lines: readonly Uint8Array[]) => void;
}

/** A notice that waits. Without room for its content, only what it was. */
interface Waiting {
  readonly job: Job;
  readonly notice: Notice | undefined;
  readonly size: number;
  readonly lines: number;
}

/** The notices of one session. */
interface Outlet {
  /** Bytes that were sent and have not left for the link. */
  ahead: number;
  /** Bytes that wait here. */
  held: number;
  readonly line: Waiting[];
}

const codec = new ValueCodec();
const nothing = new Uint8Array(0);

/**
 * Notices of jobs on their way to their coordinators. Rows and values never wait for more of them than `inFlight` bytes,
 * or one notice; behind these they wait here, and beyond `noticeQueue` bytes in their executors, which are told so. An
 * executor has one notice of a job under way until that is answered, so a link that stands still costs no more than that.
 */
export class Outlets {
  readonly #options: OutletsOptions;
  readonly #outlets: Map<Session, Outlet> = new Map();

  constructor(options: OutletsOptions) {
    this.#options = options;
  }

  /** Takes one notice. @throws BadWord when the executor did not wait for the answers to those before. */
  hear(job: Job, notice: Notice): void {
    // One that was not answered, and one more just before the end.
    if (job.notices > 1) throw new BadWord('it sent notices without waiting for the answers');
    job.notices += 1;
    const outlet = this.#of(job.session);
    const size = sizeOf(notice);
    const leaves = outlet.line.length === 0 && this.#hasRoom(outlet, size);
    const kept = leaves || outlet.held + size <= this.#options.constants.noticeQueue;
    // What is not kept is said again.
    if (kept) this.#options.said?.(job, notice.lines);
    if (leaves) return this.#send(outlet, job, owned(notice), size);
    if (kept) outlet.held += size;
    outlet.line.push({ job, notice: kept ? owned(notice) : undefined, size, lines: notice.lines.length });
  }

  /** The job is about to end well: what waits of it goes first, as far as it still may. */
  flush(job: Job): void {
    const outlet = this.#outlets.get(job.session);
    if (outlet === undefined || job.notices === 0) return;
    let dropped = 0;
    for (const { notice, size, lines } of this.#remove(outlet, job)) {
      if (job.state === 'dying') return;
      if (notice !== undefined && outlet.ahead + size <= this.#options.constants.noticeQueue) {
        this.#send(outlet, job, notice, size);
      } else dropped += lines;
    }
    if (dropped === 0 || job.state === 'dying') return;
    const lines = [droppedLine(codec, dropped)];
    this.#options.said?.(job, lines);
    this.#send(outlet, job, { ping: false, lines, value: nothing }, 0);
  }

  /** The job has ended: nothing is said of it any more. */
  forget(job: Job): void {
    const outlet = this.#outlets.get(job.session);
    if (outlet !== undefined && job.notices > 0) this.#remove(outlet, job);
    job.notices = 0;
  }

  /** The session's jobs are gone. */
  close(session: Session): void {
    this.#outlets.delete(session);
  }

  #of(session: Session): Outlet {
    const known = this.#outlets.get(session);
    if (known !== undefined) return known;
    const fresh: Outlet = { ahead: 0, held: 0, line: [] };
    this.#outlets.set(session, fresh);
    return fresh;
  }

  #hasRoom({ ahead }: Outlet, size: number): boolean {
    return ahead === 0 || ahead + size <= this.#options.constants.inFlight;
  }

  /** Takes what waits of a job out of the line. */
  #remove(outlet: Outlet, job: Job): Waiting[] {
    const own = outlet.line.filter((waiting) => waiting.job === job);
    if (own.length === 0) return own;
    const others = outlet.line.filter((waiting) => waiting.job !== job);
    outlet.line.splice(0, outlet.line.length, ...others);
    for (const { notice, size } of own) if (notice !== undefined) outlet.held -= size;
    return own;
  }

  /** The last of its messages tells when it has left. */
  #send(outlet: Outlet, job: Job, notice: Notice, size: number): void {
    const messages = messagesOf(job.counter, notice);
    const left = (): void => {
      outlet.ahead -= size;
      this.#answer(job, true);
      this.#next(outlet);
    };
    outlet.ahead += size;
    for (const [at, message] of messages.entries()) {
      if (!this.#options.tell(job, message, at === messages.length - 1 ? left : undefined)) {
        outlet.ahead -= size;
        return;
      }
    }
  }

  #next(outlet: Outlet): void {
    for (let first = outlet.line[0]; first !== undefined; first = outlet.line[0]) {
      const { job, notice, size } = first;
      if (notice !== undefined && !this.#hasRoom(outlet, size)) return;
      outlet.line.shift();
      if (notice === undefined) this.#answer(job, false);
      else {
        outlet.held -= size;
        this.#send(outlet, job, notice, size);
      }
    }
  }

  #answer(job: Job, taken: boolean): void {
    if (job.notices === 0) return; // It has ended meanwhile.
    job.notices -= 1;
    job.executor?.noted(job.task.id, taken);
  }
}

/** What arrives is a view on what was read from the socket: a few bytes that wait must not keep all of that. */
function owned({ ping, lines, value }: Notice): Notice {
  const large = value.length * 2 >= value.buffer.byteLength;
  return { ping, lines: lines.map((line) => Buffer.from(line)), value: large ? value : Buffer.from(value) };
}

function messagesOf(counter: number, { ping, lines, value }: Notice): Message[] {
  const messages: Message[] = [];
  // Progress says that the job is alive as well; a line does not.
  if (value.length > 0) messages.push({ type: 'progress', counter, value });
  else if (ping) messages.push({ type: 'ping', counter });
  for (const line of lines) messages.push({ type: 'log', counter, value: line });
  return messages;
}
