import { defaults } from '../constants.ts';

/** What a peer may do to a socket. Sizes in bytes, times in milliseconds. */
export interface WsLimits {
  /** Largest frame that is read. Default 65 KiB: the largest frame of the protocol, and its header. */
  readonly frame: number;
  /** Pieces in which one frame may come. Default 16. */
  readonly fragments: number;
  /** Chunks of one unfinished frame that are kept. Default 16384. */
  readonly bufferedChunks: number;
  /** Pongs that a peer may have waiting; one that asks for more is cut off. Default 16. */
  readonly pendingPongs: number;
  /** Sockets of one listener. Default 4096. */
  readonly connections: number;
  /** Sockets that have proved nothing yet; one more, and the oldest of them is cut off. Default 64. */
  readonly unauthenticated: number;
  /** From the connection to the proof, as seen by the listener. Default 5000. */
  readonly handshake: number;
  /** From our close to the peer's; then the socket is reset. Default 5000. */
  readonly closing: number;
}

export const wsDefaults: WsLimits = {
  frame: defaults.frame + 1024,
  fragments: 16,
  bufferedChunks: 16_384,
  pendingPongs: 16,
  connections: 4_096,
  unauthenticated: 64,
  handshake: defaults.connect,
  closing: defaults.connect,
};
