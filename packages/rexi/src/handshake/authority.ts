import { ClusterError } from '../errors.ts';

/**
 * The `host:port` of a `ws://` address, as both sides write it: lower case, port always said.
 * @throws ClusterError `bad_options` for anything that is not such an address.
 */
export function authorityOf(address: string): string {
  const [, host] = /^ws:\/\/([^/]+)\/?$/i.exec(address) ?? [];
  const authority = normalAuthority(host);
  if (authority === undefined) {
    throw new ClusterError('bad_options', `An address looks like "ws://host:port", not ${JSON.stringify(address)}.`);
  }
  return authority;
}

/** `host` or `host:port` as one may write it, in the one form that is compared; undefined when it is neither. */
export function normalAuthority(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 300 || /[/?#@\\\s]/.test(text)) return undefined;
  const address = `ws://${text}`;
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  return `${url.hostname.toLowerCase()}:${url.port || '80'}`;
}

/** Host and port of an authority; an IPv6 host without its brackets, as sockets want it. */
export function hostAndPort(authority: string): { host: string; port: number } {
  const colon = authority.lastIndexOf(':');
  const host = authority.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(authority.slice(colon + 1)) };
}

/** The authority of a host and port; an IPv6 host gets its brackets. */
export function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`.toLowerCase();
}

/**
 * The names in their compared form, as a set.
 * @throws ClusterError `bad_options` for one that is not `host:port`.
 */
export function authoritySet(names: Iterable<string>): Set<string> {
  const set = new Set<string>();
  for (const name of names) set.add(authorityOf(`ws://${name}`));
  return set;
}
