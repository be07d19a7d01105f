import { ClusterError } from '../errors.ts';

/** How links are carried: in the clear, or in TLS. */
export type Scheme = 'ws' | 'wss';

/**
 * The `host:port` of a `ws://` or `wss://` address, as both sides write it: lower case, port always said.
 * @throws ClusterError `bad_options` for anything that is not such an address.
 */
export function authorityOf(address: string): string {
  const [, scheme = '', host] = /^(wss?):\/\/([^/]+)\/?$/i.exec(address) ?? [];
  const authority = normalAuthority(host, scheme.toLowerCase() as Scheme);
  if (authority === undefined) {
    throw new ClusterError(
      'bad_options',
      `An address looks like "wss://host:port" or "ws://host:port", not ${JSON.stringify(address)}.`,
    );
  }
  return authority;
}

/** The scheme of what `authorityOf` takes. */
export function schemeOf(address: string): Scheme {
  return /^wss:/i.test(address) ? 'wss' : 'ws';
}

/** `host` or `host:port` as one may write it, in the one form that is compared; undefined when it is neither. */
export function normalAuthority(text: string | undefined, scheme: Scheme = 'ws'): string | undefined {
  if (text === undefined || text.length > 300 || /[/?#@\\\s]/.test(text)) return undefined;
  const address = `${scheme}://${text}`;
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  return `${url.hostname.toLowerCase()}:${url.port || (scheme === 'wss' ? '443' : '80')}`;
}

/** Host and port of an authority; an IPv6 host without its brackets, as sockets want it. */
export function hostAndPort(authority: string): { host: string; port: number } {
  const colon = authority.lastIndexOf(':');
  const host = authority.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(authority.slice(colon + 1)) };
}

/** Whether an authority is this machine's own, whatever its network. */
export function isLoopback(authority: string): boolean {
  const { host } = hostAndPort(authority);
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
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
