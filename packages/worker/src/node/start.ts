import type { Clock, Constants, Entropy, TlsOptions, Transport } from '@muster/rexi';
import { checkTls, constants as tableOf, newIdentity, systemClock, systemEntropy, wsTransport } from '@muster/rexi';
import type { PoolOptions } from '../executor/pool.ts';
import { poolSettings, startPool, toErrorStream } from '../executor/pool.ts';
import type { Executors } from '../executor/executor.ts';
import type { Log } from '../log/log.ts';
import { plainLog } from '../log/log.ts';
import { Agent } from './agent.ts';
import { checkOptions, listenError, prepareFiles, secretBytes } from './check-options.ts';
import type { LaneOptions } from './lanes.ts';
import { Lanes } from './lanes.ts';
import { Objects } from './objects.ts';
import type { Shell } from './shell.ts';

export interface NodeOptions {
  /** The node's name, unique in the cluster: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  readonly id: string;
  /** Where to listen, e.g. `wss://0.0.0.0:7101`, or `ws://127.0.0.1:7101` without TLS; port 0 takes a free one. */
  readonly listen: string;
  /** Authorities (`host:port`) under which the node may be dialled beside the one it is bound to. The first is told to other nodes. Default: none. */
  readonly advertise?: readonly string[];
  /** The cluster secret, at least 16 bytes; a string is taken as UTF-8 without surrounding white space. */
  readonly secret: string | Uint8Array;
  /**
   * Certificates for `wss://`, the node's with its `id` as CN and OU=worker; it shows them to those who dial it, and to the
   * nodes that it dials. Default: none.
   */
  readonly tls?: TlsOptions;
  /** The module that exports the jobs: a path, or a `file:` URL. */
  readonly jobs: string;
  /** The node's own directory; made if it is not there. */
  readonly dataDir: string;
  readonly lanes?: Readonly<Record<string, LaneOptions>>;
  readonly constants?: Partial<Constants>;
  /** Beyond loopback without TLS: said in so many words, or the node does not start. */
  readonly plaintext?: boolean;
  /** Most bytes of objects held. Default 1 GiB. */
  readonly objectBudget?: number;
  readonly pool?: Pick<PoolOptions, 'limits' | 'spares' | 'execArgv' | 'env' | 'niceness' | 'loadTimeout' | 'warn'>;
  /** Takes one line of the node's history. */
  readonly note?: (event: string, facts: Record<string, unknown>) => void;
  /**
   * Takes the node's lines and those of its jobs (`ctx.log`): `muster-worker` gives one that writes them with pino. Its level
   * may be changed at any time. Default: lines about what went wrong go to the error stream, the others nowhere.
   */
  readonly log?: Log;
  /** For tests and simulation. */
  readonly seams?: {
    readonly clock?: Clock;
    readonly entropy?: Entropy;
    readonly transport?: Transport;
    readonly executors?: Executors;
  };
}

/** A worker node that is up. */
export interface WorkerNode {
  readonly id: string;
  readonly incarnation: string;
  /** The address to dial. */
  readonly address: string;
  readonly jobs: readonly string[];
  /**
   * Reads the certificates anew, for links that come from now on; sessions go on. Without TLS it does nothing.
   * @throws ClusterError `bad_options` when they cannot be used: the node goes on with those that it has.
   */
  reloadTls(): Promise<void>;
  /** Takes no new casts and lets running jobs end, for at most `ms` milliseconds; then closes. */
  drain(ms?: number): Promise<void>;
  /** Ends at once: links, jobs, executors. Resolves when no process of the node is left. May be called twice. */
  close(): Promise<void>;
  /** Resolves when no process of the node is left, whoever has ended it: an operator may have drained it. */
  readonly closed: Promise<void>;
}

/**
 * Starts a worker node; resolves when it takes casts.
 * @throws ClusterError `bad_options` for an option that is wrong, with its name as `detail`; `unavailable` when the jobs
 * module cannot be loaded.
 */
export async function startNode(options: NodeOptions): Promise<WorkerNode> {
  checkOptions(options);
  const { id, dataDir, seams = {}, note } = options;
  const secret = secretBytes(options.secret);
  const { clock = systemClock, entropy = systemEntropy } = seams;
  const transport = seams.transport ?? wsTransport({ clock, entropy, tls: options.tls });
  const constants = tableOf(options.constants);
  const identity = newIdentity('worker', id, entropy);
  const log = options.log ?? plainLog(toErrorStream());
  if (options.tls !== undefined) await checkTls(options.tls, identity);
  await prepareFiles(options);
  const warn = options.pool?.warn ?? ((line: string) => log.write('warn', line));
  const pool = { ...options.pool, warn };
  const executors =
    seams.executors ??
    (await startPool({ ...pool, jobs: options.jobs, node: id, dataDir, lease: constants.lease, clock }));
  const early: Parameters<Agent['accept']>[0][] = [];
  let accept = (link: Parameters<Agent['accept']>[0]): void => void early.push(link);
  try {
    const listener = await transport
      .listen(options.listen, {
        identity,
        secret,
        ...(options.advertise && { advertise: options.advertise }),
        accept: (link) => accept(link),
      })
      .catch((error: unknown) => {
        throw listenError(error);
      });
    const address = publicAddress(listener.address, options.advertise);
    const budget = options.objectBudget === undefined ? {} : { budget: options.objectBudget };
    const objects = new Objects({ identity, address, clock, entropy, constants, transport, secret, ...budget });
    const lanes = new Lanes(options.lanes);
    const end = ending(async () => {
      await listener.close();
      agent.close('the node closes');
      await executors.close();
    });
    const drain = async (ms: number): Promise<void> => {
      log.write('info', 'the node drains', { ms, running: agent.jobs.all.length });
      await agent.drain(ms);
      await end.close();
    };
    const shell: Shell = {
      log,
      drain: (ms) => void drain(ms),
      config: () => ({
        ...configOf(options, listener.address),
        objectBudget: objects.table.stats().budget,
        lanes: lanes.settings([...executors.jobs.values()].map(({ lane }) => lane)),
        logLevel: log.level,
        constants,
      }),
    };
    const { incarnation } = identity;
    const agent = new Agent({
      id,
      incarnation,
      clock,
      constants,
      executors,
      lanes,
      objects,
      shell,
      ...(note && { note }),
      log,
    });
    accept = (link) => agent.accept(link);
    for (const link of early) agent.accept(link);
    log.write('info', 'the node takes casts', { address: listener.address, jobs: executors.jobs.size });
    return {
      id,
      incarnation,
      address: listener.address,
      jobs: [...executors.jobs.keys()],
      reloadTls: async () => listener.reload?.(),
      drain: (ms = constants.drain) => drain(ms),
      ...end,
    };
  } catch (error) {
    await executors.close();
    throw error;
  }
}

/** What runs once, whoever asks for it, and by whom it can be awaited. */
function ending(run: () => Promise<void>): Pick<WorkerNode, 'close' | 'closed'> {
  let tell: (end: Promise<void>) => void;
  const closed = new Promise<void>((resolve) => (tell = resolve));
  closed.catch(() => undefined); // Whoever closes it hears of it.
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    if (closing === undefined) tell((closing = run()));
    return closing;
  };
  return { close, closed };
}

/** What the node was started with, as far as it is no secret. */
function configOf(
  { id, jobs, dataDir, advertise = [], plaintext = false, pool = {} }: NodeOptions,
  listen: string,
): object {
  const { limits, spares, loadTimeout } = poolSettings(pool);
  return { id, listen, advertise, plaintext, jobs, dataDir, ...limits, spares, loadTimeout };
}

function publicAddress(bound: string, advertise: readonly string[] | undefined): string {
  const [first] = advertise ?? [];
  return first === undefined ? bound : `${bound.slice(0, bound.indexOf('://'))}://${first}`;
}
