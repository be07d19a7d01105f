import type { ValueCodec } from '@muster/rexi';
import type { Notice } from './notice.ts';
import { droppedLine, mostLineBytes, mostLines } from './notice.ts';

export interface NoticesOptions {
  readonly codec: ValueCodec;
  send(notice: Notice): void;
  /** Calls once at the end of this turn. */
  readonly atEnd: (run: () => void) => void;
}

const nothing = new Uint8Array(0);

/**
 * The notices of one job on their way to the agent. One is under way until the agent has said what became of it;
 * meanwhile pings are one ping, the newest progress wins, and lines wait as far as there is room for them. So a job may
 * say as much as it likes, and neither it nor anybody behind it keeps more than this.
 */
export class Notices {
  readonly #options: NoticesOptions;
  #ping = false;
  #value: Uint8Array = nothing;
  #lines: Uint8Array[] = [];
  #lineBytes = 0;
  #dropped = 0;
  /** What is under way, and how many lines its last one stands for. */
  #sent: { readonly notice: Notice; readonly dropped: number } | undefined;
  #leaving = false;
  #closed = false;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  ping(): void {
    this.#ping = true;
    this.#leaveSoon();
  }

  progress(value: Uint8Array): void {
    this.#value = value;
    this.#leaveSoon();
  }

  log(line: Uint8Array): void {
    this.#add(line);
    this.#leaveSoon();
  }

  /** The agent has passed on what was under way, or had no room for it and wants to hear it again. */
  noted(taken: boolean): void {
    const sent = this.#sent;
    this.#sent = undefined;
    if (this.#closed) return;
    if (!taken && sent !== undefined) this.#takeBack(sent.notice, sent.dropped);
    if (this.#any) this.#leaveSoon();
  }

  /** The job ends: what is left of it goes before its end, without waiting for anybody. */
  close(): void {
    if (this.#any && !this.#closed) this.#options.send(this.#take());
    this.#closed = true;
  }

  /** The job was asked to end: nobody hears what is left of it, and behind its end nothing may be said. */
  abort(): void {
    this.#closed = true;
  }

  get #any(): boolean {
    return this.#ping || this.#value.length > 0 || this.#lines.length > 0 || this.#dropped > 0;
  }

  #add(line: Uint8Array): void {
    // A gap is at one place: behind it nothing is added before it has been told.
    const room = this.#lines.length < mostLines && this.#lineBytes + line.length <= mostLineBytes;
    if (!room || this.#dropped > 0) return void (this.#dropped += 1);
    this.#lines.push(line);
    this.#lineBytes += line.length;
  }

  #leaveSoon(): void {
    if (this.#leaving || this.#closed || this.#sent !== undefined) return;
    this.#leaving = true;
    this.#options.atEnd(this.#leave);
  }

  readonly #leave = (): void => {
    this.#leaving = false;
    if (this.#closed || this.#sent !== undefined) return;
    this.#sent = { dropped: this.#dropped, notice: this.#take() };
    this.#options.send(this.#sent.notice);
  };

  #take(): Notice {
    if (this.#dropped > 0) this.#lines.push(droppedLine(this.#options.codec, this.#dropped));
    const notice = { ping: this.#ping, lines: this.#lines, value: this.#value };
    this.#ping = false;
    this.#value = nothing;
    this.#lines = [];
    this.#lineBytes = this.#dropped = 0;
    return notice;
  }

  /** Older than what has come since: its lines go first, its progress is past if there is a newer one. */
  #takeBack({ ping, lines, value }: Notice, dropped: number): void {
    const [newer, newerDropped] = [this.#lines, this.#dropped];
    this.#ping ||= ping;
    if (this.#value.length === 0) this.#value = value;
    this.#lines = dropped === 0 ? [...lines] : lines.slice(0, -1);
    this.#lineBytes = this.#lines.reduce((sum, line) => sum + line.length, 0);
    this.#dropped = dropped;
    for (const line of newer) this.#add(line);
    this.#dropped += newerDropped;
  }
}
