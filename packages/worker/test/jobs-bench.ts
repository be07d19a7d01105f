import type { Cast, Constants, Message } from '@muster/rexi';
import { ClusterError, constants as tableOf, ValueCodec } from '@muster/rexi';
import type { VirtualClock } from '@muster/rexi/testing';
import { virtualClock } from '@muster/rexi/testing';
import type { Executors } from '../src/executor/executor.ts';
import { Jobs } from '../src/node/jobs.ts';
import type { LaneOptions } from '../src/node/lanes.ts';
import { Lanes } from '../src/node/lanes.ts';
import type { Session } from '../src/node/sessions.ts';
import type { Script } from '../src/testing/script.ts';
import type { ScriptedExecutorsOptions } from '../src/testing/scripted-executors.ts';
import { ScriptedExecutors } from '../src/testing/scripted-executors.ts';

export const incarnation = 'aaaaaaaaaaaaaaaa';
const codec = new ValueCodec();

export interface JobsBenchOptions {
  readonly scripts: Readonly<Record<string, Script>>;
  readonly lanes?: Readonly<Record<string, LaneOptions>>;
  readonly constants?: Partial<Constants>;
  /** In place of scripted executors. */
  readonly use?: Executors;
  readonly executors?: Pick<ScriptedExecutorsOptions, 'most' | 'starts' | 'dies'>;
}

/** The job table of a node with scripted executors and, in place of a link, an ear for what would be sent. */
export class JobsBench {
  readonly clock: VirtualClock = virtualClock(1_000);
  readonly constants: Constants;
  readonly executors: ScriptedExecutors;
  readonly lanes: Lanes;
  readonly jobs: Jobs;
  readonly session: Session = newSession(1);
  readonly sent: Message[] = [];
  readonly gone: { readonly session: number; readonly killed: number }[] = [];
  readonly notes: string[] = [];
  readonly released: number[] = [];
  /** Body bytes that are said to wait for the link. */
  waiting = 0;
  /** Bytes of a value that a message can carry. */
  largest = Infinity;

  constructor({ scripts, lanes, executors, constants = {}, use }: JobsBenchOptions) {
    const { clock } = this;
    this.constants = tableOf(constants);
    this.executors = new ScriptedExecutors({ clock, scripts, ...executors });
    this.lanes = new Lanes(lanes);
    this.jobs = new Jobs({
      clock,
      constants: this.constants,
      executors: use ?? this.executors,
      lanes: this.lanes,
      port: {
        send: (_session, message) => this.#send(message),
        waiting: () => this.waiting,
        gone: ({ number }, killed) => void this.gone.push({ session: number, killed }),
        adopt: () => undefined,
        release: (task) => void this.released.push(task),
        operate: () => Promise.resolve(new Uint8Array()),
        note: (event) => void this.notes.push(event),
      },
    });
  }

  #send(message: Message): void {
    const payload =
      'value' in message ? message.value : 'batch' in message ? message.batch : 'error' in message ? message.error : [];
    if (payload.length > this.largest)
      throw new ClusterError('limit', 'A message is too large.', { detail: 'message' });
    this.sent.push(message);
  }

  /** Casts one job under each counter. */
  async cast(
    job: string,
    counters: number | readonly number[],
    rest: Partial<Cast> = {},
    session: Session = this.session,
  ): Promise<void> {
    const parts = [counters].flat().map((counter) => ({ counter, shard: new Uint8Array() }));
    const args = codec.pack(undefined);
    this.jobs.cast(session, { type: 'cast', job, timeLeft: 0, priority: 128, args, parts, ...rest });
    await this.clock.settle();
  }

  async start(counter: number, rows = 4_096, bytes = 1_048_576): Promise<void> {
    this.jobs.start(this.session, { type: 'stream-start', counter, rows, bytes });
    await this.clock.settle();
  }

  /** Acks so many rows in all, with their bytes. */
  async ack(counter: number, rows: number): Promise<void> {
    const batches = this.sent.filter((message) => message.type === 'rows' && message.counter === counter);
    const bytes = batches.reduce(
      (sum, one) => sum + (one.type === 'rows' && one.first < rows ? one.batch.length : 0),
      0,
    );
    this.jobs.ack(this.session, { type: 'ack', counter, rows, bytes });
    await this.clock.settle();
  }

  /** Kills; the array has `killed` in it once that is confirmed. */
  async kill(counters: number | readonly number[], grace = 250, by?: 'guardian'): Promise<string[]> {
    const confirmed: string[] = [];
    const gone = this.jobs.kill(this.session, { type: 'kill', confirm: 1, grace, counters: [counters].flat() }, by);
    void gone.then(() => confirmed.push('killed'));
    await this.clock.settle();
    return confirmed;
  }

  stateOf(counter: number): string {
    return this.jobs.all.find((job) => job.counter === counter)?.state ?? 'gone';
  }

  /** What was sent of one job, in words. */
  said(counter: number): string[] {
    return this.sent.filter((message) => 'counter' in message && message.counter === counter).map(inWords);
  }

  /** How the job ended, as its coordinator hears it: at most one of these. */
  ends(counter: number): string[] {
    return this.said(counter).filter((line) => /^(reply|last|exit)/.test(line));
  }
}

export function newSession(number: number): Session {
  return { incarnation, number, link: number, via: number, closed: false, newest: 0, state: 'open' };
}

function inWords(message: Message): string {
  switch (message.type) {
    case 'exit':
      return `exit ${message.code}${message.detail === '' ? '' : ` ${message.detail}`}`;
    case 'rows':
      return `rows ${codec.unpackRows(message.batch, message.count).join()}`;
    case 'last':
      return `last after ${message.rows}`;
    case 'reply':
      return `reply ${String(codec.unpack(message.value))}`;
    default:
      return message.type;
  }
}
