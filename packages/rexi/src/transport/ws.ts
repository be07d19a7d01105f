import type { Clock, Entropy, Transport } from '../seams.ts';
import { wsDefaults, type WsLimits } from './ws-limits.ts';

export interface WsOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Every limit has a default; see `WsLimits`. */
  readonly limits?: Partial<WsLimits>;
}

/**
 * Links over WebSockets, one message per frame, authenticated in the upgrade. Addresses are `ws://host:port`; what
 * needs TLS puts a proxy in front and has its name advertised.
 */
export function wsTransport({ clock, entropy, limits }: WsOptions): Transport {
  const tools = { clock, entropy, limits: { ...wsDefaults, ...limits } };
  // Loaded when the first link is wanted: executors use this package's values and never open a socket.
  return {
    dial: async (address, options) => (await import('./ws-dial.ts')).wsDial(address, options, tools),
    listen: async (address, options) => (await import('./ws-listen.ts')).wsListen(address, options, tools),
  };
}
