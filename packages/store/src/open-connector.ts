import { ClusterError } from '@muster/rexi';
import type { ConnectorSeams } from './backend-connector.ts';
import type { Connector, ConnectorConfig } from './connector.ts';
import { MemoryConnector, type MemoryConnectorOptions } from './memory-connector.ts';

/** Opens a connector of one kind from its config. Who takes configs from others trusts them: they say what is dialled. */
export type OpenConnector = (config: ConnectorConfig, seams: ConnectorSeams) => Promise<Connector> | Connector;

/** Each connector's code, and its client library, is loaded when one is opened first. */
const kinds = new Map<string, OpenConnector>([
  ['memory', (config, seams) => new MemoryConnector({ ...(config as MemoryConnectorOptions), ...seams })],
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
