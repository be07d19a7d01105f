import type { ClientOptions, ServerOptions } from 'ws';
import type { WsLimits } from './ws-limits.ts';

/** Bytes of all headers of one request or answer. */
export const maxHeaderSize: number = 8 * 1024;

/** The options that both sides give to `ws`. */
export function socketOptions(limits: WsLimits): ClientOptions & ServerOptions {
  const options = {
    perMessageDeflate: false,
    maxPayload: limits.frame,
    maxFragments: limits.fragments,
    maxBufferedChunks: limits.bufferedChunks,
    maxPendingAutoPongs: limits.pendingPongs,
  };
  return options;
}
