import { ClusterError, codes } from '@muster/rexi';
import type { ErrorCode } from '@muster/rexi';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ChaosError } from '../chaos-error.ts';
import { Child, now } from '../process/child.ts';
import { childrenOf } from '../process/machine.ts';
import { within } from '../process/wait.ts';
import type { Answer, LoadState, RequestState, Verb } from './words.ts';

/** How long an answer may take, in milliseconds, beside the request's own time: a process that is stopped never answers. */
const patience = 30_000;

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/** A process with a coordinator in it, told what to do message by message. */
export class CoordinatorProcess extends Child {
  /** Under which it was connected when it last answered. */
  incarnation = '';
  /** All that there were, and when each was first heard of: milliseconds since the epoch. */
  readonly incarnations: { readonly incarnation: string; readonly at: number }[] = [];
  /** Requests that had not ended when it last said so. */
  open = 0;
  readonly #process: ChildProcess;
  readonly #waiting: Map<number, (answer: Answer) => void> = new Map();
  #next = 0;

  constructor(env: NodeJS.ProcessEnv) {
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    super(child);
    this.#process = child;
    child.on('message', (answer: Answer) => this.#heard(answer));
    // What is told to a process that is gone is lost, as it should be here.
    child.on('error', () => undefined);
    void this.ended.then(() => this.#failAll());
  }

  /**
   * Tells it to do something; resolves with what it answers.
   * @throws ChaosError when it dies first, and when it has not answered after 30 s (and the `timeout` of a call's options).
   */
  tell(verb: string, ...args: unknown[]): Promise<unknown> {
    const { timeout = 0 } = (args.at(-1) ?? {}) as { readonly timeout?: number };
    return within(`the coordinator's process answers "${verb}"`, patience + timeout, this.#tell(verb, args));
  }

  #tell(verb: string, args: readonly unknown[]): Promise<unknown> {
    const id = (this.#next += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ value, error }) => {
        if (error === undefined) resolve(value);
        else reject(failure(error));
      });
      if (this.ending !== undefined) this.#failAll();
      else this.#process.send({ id, verb, args }, () => undefined);
    });
  }

  /** Begins a request under a name of the caller's own, and reads all of it. */
  async begin(name: string, verb: Verb, job: string, args: object, options: object = {}): Promise<void> {
    await this.tell('begin', name, verb, job, args, options);
  }

  async state(name: string): Promise<RequestState> {
    return (await this.tell('state', name)) as RequestState;
  }

  /** Begins to call a job at a steady pace. */
  async load(everyMs: number, most: number, job: string, args: object): Promise<void> {
    await this.tell('load', everyMs, most, job, args);
  }

  async loaded(): Promise<LoadState> {
    return (await this.tell('loaded')) as LoadState;
  }

  /** Its guardians: one, as a rule; none while there is not another one yet. */
  get guardians(): number[] {
    return childrenOf(this.pid).flatMap(({ pid, command }) => (isGuardian(command) ? [pid] : []));
  }

  #heard(answer: Answer): void {
    const { incarnation } = answer;
    if (incarnation !== this.incarnation) this.incarnations.push({ incarnation, at: now() });
    this.incarnation = incarnation;
    this.open = answer.open;
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }

  #failAll(): void {
    const error = { code: 'ended', message: `The coordinator's process has ended. ${this.errors}` };
    for (const [id, told] of this.#waiting) told({ id, error, open: 0, incarnation: this.incarnation });
    this.#waiting.clear();
  }
}

export function isGuardian(command: string): boolean {
  return command.includes('guardian/main.js');
}

/** As the coordinator has thrown it, where it has. */
function failure({ code, message }: { readonly code: string; readonly message: string }): Error {
  return Object.hasOwn(codes, code) ? new ClusterError(code as ErrorCode, message) : new ChaosError(message);
}
