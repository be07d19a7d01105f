import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { childrenOf } from './machine.ts';
import { until } from './wait.ts';

const main = fileURLToPath(new URL('../cluster/coordinator.mjs', import.meta.url));

export interface CoordinatorOptions {
  readonly env: NodeJS.ProcessEnv;
  /** `name` or `name:count`; loads the failpoints of test builds. */
  readonly failpoint?: string;
}

/** What the process says of one request. */
export interface RequestState {
  readonly rows: number;
  readonly next: number;
  /** Whether rows came in their order, without gap and repeat. */
  readonly inOrder: boolean;
  readonly value?: unknown;
  /** The newest progress, as far as it is told here. */
  readonly progress?: { readonly n: number; readonly done?: boolean };
  /** The message of the newest line of its log. */
  readonly line?: string;
  readonly ended?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly endedAt?: number;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A process with a coordinator in it, told what to do line by line. */
export class Coordinator extends Child {
  readonly #process: ChildProcess;
  readonly #waiting: Map<number, (answer: Answer) => void> = new Map();
  #next = 0;

  constructor({ env, failpoint }: CoordinatorOptions) {
    const flags = failpoint === undefined ? [] : ['--conditions=@muster/failpoints'];
    const point = failpoint === undefined ? {} : { MUSTER_FAILPOINT: failpoint };
    const child = spawn(process.execPath, [...flags, main], {
      env: { ...env, ...point },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    super(child);
    this.#process = child;
    child.on('message', (answer: Answer) => this.#waiting.get(answer.id)?.(answer));
    // What is told to a process that is gone is lost, as it should be here.
    child.on('error', () => undefined);
  }

  /** Tells it to do something; resolves with what it answers, and never if it dies first. */
  tell(verb: string, ...args: unknown[]): Promise<unknown> {
    const id = (this.#next += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ value, error }) => (error === undefined ? resolve(value) : reject(new Error(error))));
      this.#process.send({ id, verb, args }, () => undefined);
    });
  }

  /** Connects; resolves with the incarnation. */
  async connect(options: Record<string, unknown>): Promise<string> {
    return (await this.tell('connect', options)) as string;
  }

  /** Begins a request under a name of the test's own and reads all of it. */
  async begin(
    name: string,
    verb: 'call' | 'stream' | 'scatter',
    job: string,
    args: object,
    options: object = {},
  ): Promise<void> {
    await this.tell('begin', name, verb, job, args, options);
  }

  async state(name: string): Promise<RequestState> {
    return (await this.tell('state', name)) as RequestState;
  }

  /** Resolves when the request has ended. */
  over(name: string, ms?: number): Promise<RequestState> {
    return until(`the request ${name} has ended`, async () => this.#overState(name), ms);
  }

  async #overState(name: string): Promise<RequestState | undefined> {
    const state = await this.state(name);
    return state.ended === true ? state : undefined;
  }

  /** The guardian that it has now. */
  async guardian(): Promise<number> {
    const found = await until('there is a guardian', () => guardiansOf(this.pid)[0]);
    return found;
  }
}

/** Pids of the guardians that a process has started and not lost. */
export function guardiansOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => (child.command.includes('guardian/main.js') ? [child.pid] : []));
}
