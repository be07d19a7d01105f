import type { Role } from '../seams.ts';

/** The WebSocket subprotocol, and the version that every proof covers. */
export const subprotocol = 'rexi.1';

/** Bytes of a nonce, either side's. */
export const nonceBytes = 32;

/** The role with whose key a listener proves itself, whatever it is called inside. */
export const listenerRole: Role = 'worker';

/** What both sides agree on and both prove. */
export interface Transcript {
  /** The role that the client asks for. */
  readonly role: Role;
  readonly serverNonce: Uint8Array;
  readonly clientNonce: Uint8Array;
  readonly clientId: string;
  readonly clientIncarnation: string;
  readonly serverId: string;
  readonly serverIncarnation: string;
  /** `host:port` as the client dialled it: a proof given to one address is worth nothing at another. */
  readonly authority: string;
  /** Of the TLS connection that carries it, empty without TLS: a proof is worth nothing on another connection. */
  readonly binding: Uint8Array;
}

/** Who speaks. It is part of what is proved, so that nobody's proof can be sent back to him. */
export type Side = 'client' | 'server';

/** The bytes that are authenticated and signed: every field behind its 16-bit length, in this order. */
export function transcriptBytes(side: Side, about: Transcript): Uint8Array {
  const fields = [
    subprotocol,
    side,
    about.role,
    about.serverNonce,
    about.clientNonce,
    about.clientId,
    about.clientIncarnation,
    about.serverId,
    about.serverIncarnation,
    about.authority,
    about.binding,
  ];
  return Buffer.concat(fields.flatMap(field));
}

function field(value: string | Uint8Array): Uint8Array[] {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return [length, bytes];
}
