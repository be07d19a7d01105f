import type { Clock, Entropy, Role, Transport } from '../seams.ts';
import type { TlsOptions } from './tls-options.ts';
import type { TlsSource } from './tls-source.ts';
import type { WsTools } from './ws-dial.ts';
import { wsDefaults, type WsLimits } from './ws-limits.ts';

export interface WsOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Every limit has a default; see `WsLimits`. */
  readonly limits?: Partial<WsLimits>;
  /** What `wss://` needs. With it, `ws://` is dialled on loopback only. */
  readonly tls?: TlsOptions | undefined;
}

/**
 * Links over WebSockets, one message per frame, authenticated in the upgrade. Addresses are `wss://host:port`, or
 * `ws://host:port` without TLS. TLS ends in this process: the handshake proves the very connection, so a proxy in front
 * has to pass it on as it is.
 */
export function wsTransport({ clock, entropy, limits, tls }: WsOptions): Transport {
  const tools = { clock, entropy, limits: { ...wsDefaults, ...limits }, tls: lazily(tls) };
  // Loaded when the first link is wanted: executors use this package's values and never open a socket.
  return {
    dial: async (address, options) => (await import('./ws-dial.ts')).wsDial(address, options, tools),
    listen: async (address, options) => (await import('./ws-listen.ts')).wsListen(address, options, tools),
  };
}

/** One source for all links of a transport, made with the first of them. */
function lazily(options: TlsOptions | undefined): WsTools['tls'] {
  let source: Promise<TlsSource> | undefined;
  return options && (() => (source ??= import('./tls-source.ts').then(({ TlsSource: Source }) => new Source(options))));
}

/**
 * Whether the certificates can be used, by this node in this role.
 * @throws ClusterError `bad_options` with `tlsCa`, `tlsCert`, `tlsKey` or `tlsPin` as its detail, and what to do.
 */
export async function checkTls(options: TlsOptions, who: { readonly id: string; readonly role: Role }): Promise<void> {
  const { TlsSource: Source } = await import('./tls-source.ts');
  await new Source(options).read(who);
}
