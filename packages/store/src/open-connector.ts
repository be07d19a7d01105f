import { ClusterError } from '@muster/rexi';
import type { ConnectorSeams } from './backend-connector.ts';
import type { Connector, ConnectorConfig } from './connector.ts';
import { MemoryConnector } from './memory-connector.ts';

/** Opens a connector of one kind from its config. Who takes configs from others trusts them: they say what is dialled. */
export type OpenConnector = (config: ConnectorConfig, seams: ConnectorSeams) => Promise<Connector> | Connector;

/** A config is what the options of its kind were, as `config()` wrote them. */
const optionsOf = <O>(config: ConnectorConfig, seams: ConnectorSeams): O => ({ ...config, ...seams }) as O;

/** Each connector's code, and with it its client library, is loaded when one is opened first. */
const kinds = new Map<string, OpenConnector>([
  ['memory', (config, seams) => new MemoryConnector(optionsOf(config, seams))],
  ['file', async (config, seams) => (await import('./connectors/file.ts')).fileConnector(optionsOf(config, seams))],
  ['lmdb', async (config, seams) => (await import('./connectors/lmdb.ts')).lmdbConnector(optionsOf(config, seams))],
  ['redis', async (config, seams) => (await import('./connectors/redis.ts')).redisConnector(optionsOf(config, seams))],
  ['nats', async (config, seams) => (await import('./connectors/nats.ts')).natsConnector(optionsOf(config, seams))],
  ['multi', async (config, seams) => (await import('./connectors/multi.ts')).multiConnector(optionsOf(config, seams))],
]);

/**
 * Makes a kind of connector known to `openConnector` in this process.
 * @throws ClusterError `bad_options` for a kind that is known already.
 */
export function registerConnector(kind: string, open: OpenConnector): void {
  if (kinds.has(kind)) throw new ClusterError('bad_options', `The kind of connector "${kind}" is registered already.`);
  kinds.set(kind, open);
}

/**
 * A connector from what `config()` gave, in this or another process: keys made by that one resolve by this one as far as
 * its `reach` goes.
 * @throws ClusterError `bad_options` for a kind that nobody registered, and whatever opening it throws.
 */
export async function openConnector(config: ConnectorConfig, seams: ConnectorSeams = {}): Promise<Connector> {
  const open = kinds.get(config.kind);
  if (open) return open(config, seams);
  const known = [...kinds.keys()].join(', ');
  throw new ClusterError('bad_options', `There is no kind of connector "${config.kind}"; there are ${known}.`);
}
