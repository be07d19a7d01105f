/**
 * Everything that protocol code may know of the world outside it. Production gives the system's clock, sockets and
 * randomness; tests and simulation give their own, and a run is then a function of its seed.
 */

import type { Chance } from './failpoints.ts';

/** A timer that can be taken back. Cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as protocol code sees it: monotonic, in milliseconds, meaningless outside this process. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never goes back. */
  now(): number;
  /** Calls `fire` once, not before `ms` milliseconds have passed. Timers do not keep a process alive. */
  after(ms: number, fire: () => void): Timer;
  /** Calls `run` once the current turn's input has been read, so that what is ready together is sent together. */
  soon(run: () => void): void;
  /** Decides at failpoints. Only simulations have it. */
  readonly chance?: Chance;
}

/** How the key of an incarnation grows from its seed, signs, and is checked. */
export interface Keys {
  /** 32 bytes, from 32 bytes of seed. */
  publicKey(seed: Uint8Array): Uint8Array;
  /** 64 bytes. */
  sign(seed: Uint8Array, bytes: Uint8Array): Uint8Array;
  verify(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** Random bytes. Everything unpredictable is derived from here. */
export interface Entropy {
  bytes(count: number): Uint8Array;
  /** Default Ed25519. For simulations, in which nobody forges and every millisecond counts; both ends must have the same. */
  readonly keys?: Keys;
}

/** What a peer may do; every message is allowed or refused by it. */
export type Role = 'coordinator' | 'guardian' | 'peer' | 'worker' | 'operator' | 'observer';

/** A proven identity: role, name, and the incarnation whose key the peer has shown to hold. */
export interface Peer {
  readonly role: Role;
  readonly id: string;
  /** 16 lower-case hexadecimal digits. */
  readonly incarnation: string;
}

/** Why a link is over. `peer`: the other side closed it (FIN or RST). `silent`: it broke without a word. */
export interface LinkEnd {
  readonly by: 'peer' | 'self' | 'silent';
  /** The close code (see close-code.ts), 1006 where none was said. */
  readonly code: number;
  readonly reason: string;
}

/** What the owner of a link hears. Set once, before the turn in which the link was given ends. */
export interface LinkHandler {
  /** One frame, whole. The bytes may be kept, but are a view on a larger buffer: copy what lives long. */
  frame(bytes: Uint8Array): void;
  /** The kernel has taken everything that was handed over. */
  drained(): void;
  /** Once, last. */
  ended(end: LinkEnd): void;
}

/** Ordered frames between two authenticated nodes. */
export interface Link {
  /** Who is at the other end, as the handshake has proved. */
  readonly peer: Peer;
  /** Bytes handed over that the kernel has not taken yet. */
  readonly queued: number;
  handle(handler: LinkHandler): void;
  /** Sends one frame, given in parts that are not changed afterwards. After the end it does nothing. */
  send(parts: readonly Uint8Array[]): void;
  /**
   * Stops and continues reading; frames already read may still arrive. A link that is paused may learn of its end only
   * when it reads again.
   */
  pause(): void;
  resume(): void;
  /** The link does not keep the process alive. */
  unref?(): void;
  /** Lets what was sent leave, says `code` and `reason`, and ends. */
  close(code: number, reason: string): void;
  /** Ends now; what was not sent is lost. The peer sees a reset. */
  abort(reason: string): void;
}

/** Who dials or listens, and the key that proves its incarnation. */
export interface Identity extends Peer {
  /** 32 bytes: the seed of the incarnation's Ed25519 key. */
  readonly seed: Uint8Array;
}

/** The key of one role, derived from the cluster secret, which cannot be found from it. */
export interface RoleKey {
  readonly role: Role;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What proves a role: the cluster secret, which has the keys of all roles in it, or the key of that role alone. */
export type Credential = Uint8Array | RoleKey;

export interface DialOptions {
  readonly identity: Identity;
  /** The cluster secret, or the key of the identity's role. */
  readonly secret: Credential;
  /** The node id that must answer; any when absent. */
  readonly expect?: string;
  /** Milliseconds for connect and handshake. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

export interface ListenOptions {
  readonly identity: Identity;
  readonly secret: Uint8Array;
  /** Authorities (`host:port`) under which this listener may be dialled, beside the one it is bound to. */
  readonly advertise?: readonly string[];
  /** Origins that are let in; an upgrade with any other `Origin` header is refused. */
  readonly origins?: readonly string[];
  /** Roles that are let in; all but `worker` when absent. */
  readonly roles?: readonly Role[];
  /** Takes each authenticated link, in the turn in which it was made. */
  accept(link: Link): void;
}

export interface Listener {
  /** The address to dial, e.g. `wss://node-a:7101`, or `ws://127.0.0.1:7101` without TLS. */
  readonly address: string;
  /**
   * Reads its certificates anew, for links that come from now on; those that exist live on. Where there is no TLS it is
   * not there. @throws ClusterError `bad_options` when they cannot be used: it goes on with those that it has.
   */
  reload?(): Promise<void>;
  /** Stops listening; links that exist live on. */
  close(): Promise<void>;
}

/**
 * Dials and listens. Errors are `ClusterError`s: dialling fails with `unreachable`, `unauthorized`, `version_mismatch`,
 * `bad_options` or, when its signal was aborted, `cancelled` with the signal's reason as its cause; listening with
 * `bad_options`, an address in use included.
 */
export interface Transport {
  dial(address: string, options: DialOptions): Promise<Link>;
  listen(address: string, options: ListenOptions): Promise<Listener>;
}
