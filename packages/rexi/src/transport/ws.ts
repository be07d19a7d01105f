import type { Clock, Entropy, Transport } from '../seams.ts';
import { wsDial } from './ws-dial.ts';
import { wsDefaults, type WsLimits } from './ws-limits.ts';
import { wsListen } from './ws-listen.ts';

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
  return {
    dial: (address, options) => wsDial(address, options, tools),
    listen: (address, options) => wsListen(address, options, tools),
  };
}
