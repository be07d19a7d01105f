import type { KillOrder, LogLevel, OperationAnswers, OperationTakes } from '@muster/rexi';
import { ClusterError, mayAsk, newIdentity, systemClock, systemEntropy, wsTransport } from '@muster/rexi';
import { doubled } from '../trouble.ts';
import { OperatedNode } from './operated-node.ts';
import type { OperateOptions, Operating, OperatingRole } from './options.ts';
import { operating } from './options.ts';

/** What one node has answered. */
export interface NodeAnswer<T> {
  readonly node: string;
  readonly address: string;
  readonly value: T;
}

/** Why one node has not. */
export interface NodeFailure {
  /** Undefined where it was never reached. */
  readonly node: string | undefined;
  readonly address: string;
  readonly error: ClusterError;
}

/** What all nodes have answered, in the order in which they were named; no failure of one hides the others. */
export interface Answers<T> {
  readonly answers: readonly NodeAnswer<T>[];
  readonly failures: readonly NodeFailure[];
}

/** What became of a kill at all nodes together. */
export interface KillOutcome {
  /** How many jobs were killed and are gone. */
  readonly killed: number;
  /** References of jobs that were told to end and have not. */
  readonly left: readonly string[];
  /** References that no node that has answered knows: the job has ended, has not arrived, or is at a node that has not. */
  readonly unknown: readonly string[];
  readonly failures: readonly NodeFailure[];
}

/** Which nodes a question is for, by name or address. Default: all. */
export interface Selection {
  readonly only?: readonly string[];
}

/** Which jobs are listed, and how many of each node at most: 1 to 4096, 1000 where nothing is said. */
export interface JobSelection {
  readonly limit?: number | undefined;
  /** Only those of this incarnation. */
  readonly coordinator?: string | undefined;
  /** Only those of this name. */
  readonly job?: string | undefined;
}

type Asked = keyof OperationTakes;

/**
 * Looks into a running cluster, and as an operator changes what runs there. Dials each node when it asks, and again when
 * the link was lost meanwhile: a node that is down is a failure among the answers. Open links keep the process alive until
 * `close()`, or the end of `await using`.
 */
export class Operator implements AsyncDisposable {
  readonly role: OperatingRole;
  readonly #nodes: readonly OperatedNode[];

  /** Made by `operate`. */
  constructor(about: Operating, seams: OperateOptions['seams'] = {}) {
    const { clock = systemClock, entropy = systemEntropy } = seams;
    const transport = seams.transport ?? wsTransport({ clock, entropy, tls: about.tls });
    const identity = newIdentity(about.role, about.id, entropy);
    this.role = about.role;
    const nodes: OperatedNode[] = about.nodes.map((address) => {
      const others = (): OperatedNode[] => nodes.filter((other) => other.address !== address);
      const refused: ConstructorParameters<typeof OperatedNode>[0]['refused'] = (peer) =>
        doubled(address, peer, others());
      return new OperatedNode({ address, about, identity, clock, entropy, transport, refused });
    });
    this.#nodes = nodes;
  }

  /** The nodes, and how much there is at them. */
  nodes(selection?: Selection): Promise<Answers<OperationAnswers['node-info']>> {
    return this.#ask('node-info', undefined, selection);
  }

  /** Whose jobs the nodes may run. */
  sessions({ limit, ...selection }: Selection & { readonly limit?: number } = {}): Promise<
    Answers<OperationAnswers['node-sessions']>
  > {
    return this.#ask('node-sessions', given({ limit }), selection);
  }

  /** What is in the job tables, the oldest first: at most `limit` (1000) of each node, and how many more there are. */
  jobs({ limit, coordinator, job, ...selection }: Selection & JobSelection = {}): Promise<
    Answers<OperationAnswers['node-jobs']>
  > {
    return this.#ask('node-jobs', given({ limit, coordinator, job }), selection);
  }

  /** The last 100 failures of each node, newest first. */
  errors(selection?: Selection): Promise<Answers<OperationAnswers['node-errors']>> {
    return this.#ask('node-errors', undefined, selection);
  }

  /** What each node was started with, defaults included. */
  config(selection?: Selection): Promise<Answers<OperationAnswers['node-config']>> {
    return this.#ask('node-config', undefined, selection);
  }

  /**
   * Kills jobs wherever they run; each ends with `killed` at its coordinator, who is told by whom and `why`. Resolves when
   * nothing is left of them, or in time with what is.
   */
  async kill(order: KillOrder, selection?: Selection): Promise<KillOutcome> {
    const { answers, failures } = await this.#ask('kill', order, selection);
    const values = answers.map(({ value }) => value);
    const refs = 'refs' in order ? [...new Set(order.refs)] : [];
    return {
      killed: values.reduce((sum, { killed }) => sum + killed, 0),
      left: values.flatMap(({ left }) => left),
      unknown: refs.filter((ref) => values.every(({ unknown }) => unknown.includes(ref))),
      failures,
    };
  }

  /** Lets what runs at the nodes end, for at most `ms` milliseconds (`drain`); then they end. `whenGone` waits for that. */
  drain({ ms, ...selection }: Selection & { readonly ms?: number } = {}): Promise<Answers<OperationAnswers['drain']>> {
    return this.#ask('drain', given({ ms }), selection);
  }

  /** Resolves when the node has hung up, as one that has drained does. */
  async whenGone(node: string): Promise<void> {
    await this.#nodes.find(({ id, address }) => id === node || address === node)?.whenGone();
  }

  /** How much the nodes say in their logs from now on. */
  logLevel(level: LogLevel, selection?: Selection): Promise<Answers<OperationAnswers['log-level']>> {
    return this.#ask('log-level', { level }, selection);
  }

  /** Ends all links. May be called twice. */
  // oxlint-disable-next-line require-await -- it ends as everything that is closed does
  async close(): Promise<void> {
    for (const node of this.#nodes) node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask<Name extends Asked>(
    name: Name,
    value: OperationTakes[Name],
    { only }: Selection = {},
  ): Promise<Answers<OperationAnswers[Name]>> {
    const asked: string = name;
    if (!mayAsk(this.role, asked)) {
      throw new ClusterError('bad_options', `"${asked}" is for an operator, and this is an ${this.role}.`);
    }
    const tries = await Promise.all(this.#nodes.map((node) => this.#try(node, name, value, only)));
    const answers = tries.flatMap((one) => (one !== undefined && 'value' in one ? one : []));
    const failed = tries.flatMap((one) => (one !== undefined && 'error' in one ? one : []));
    const missing = this.#missing(only);
    // One that was never reached may be the one that was meant, as long as that was not found.
    const failures = failed.filter(
      ({ node, address }) => node !== undefined || missing.length > 0 || (only?.includes(address) ?? true),
    );
    return { answers, failures: [...failures, ...missing] } as Answers<OperationAnswers[Name]>;
  }

  /** Undefined for a node that is not meant. */
  async #try(
    node: OperatedNode,
    name: string,
    value: unknown,
    only: readonly string[] | undefined,
  ): Promise<NodeAnswer<unknown> | NodeFailure | undefined> {
    const { address } = node;
    const isMeant = (): boolean => only === undefined || only.includes(address) || only.includes(node.id ?? '');
    try {
      await node.link();
      if (!isMeant()) return undefined;
      return { node: node.id ?? address, address, value: await node.ask(name, value) };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      return node.id !== undefined && !isMeant() ? undefined : { node: node.id, address, error };
    }
  }

  /** Names of which no node is known. */
  #missing(only: readonly string[] = []): NodeFailure[] {
    const known = new Set(this.#nodes.flatMap(({ id, address }) => [id, address]));
    const unknown = only.filter((name) => !known.has(name));
    return unknown.map((name) => {
      const error = new ClusterError('unreachable', `No node that could be reached is called "${name}".`);
      return { node: name, address: '', error };
    });
  }
}

/**
 * A handle with which people and their tools look into a cluster: an `observer`, who can change nothing, or an `operator`.
 * Nothing is dialled before the first question.
 * @throws ClusterError `bad_options`
 */
export function operate(options: OperateOptions): Operator {
  return new Operator(operating(options), options.seams);
}

/** Without what was not given. */
function given<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
