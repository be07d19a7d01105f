import type { Socket } from 'node:net';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { hostAndPort } from '../handshake/authority.ts';
import { pinOf, type CertificateFlaw, type Underlay } from '../handshake/certificate.ts';
import { uncertified } from '../handshake/client.ts';
import { dialFailed } from './failure.ts';
import { namesOf, onlyTls13, type TlsMaterial } from './tls-source.ts';

/** A connection that frames may go over. */
export interface Connection {
  /** What is written to and read from. */
  readonly socket: Socket;
  /** The TCP connection below it, which alone can be reset; the same without TLS. */
  readonly tcp: Socket;
  readonly underlay: Underlay;
}

/** Bytes of an exporter that binds a channel, and its label (RFC 9266). */
const bindingBytes = 32;
const bindingLabel = 'EXPORTER-Channel-Binding';

/**
 * Connects with TLS to `authority`; the listener has shown a certificate that holds, for the name that was dialled.
 * @throws ClusterError `unreachable`, or `unauthorized` with what is wrong with the certificate.
 */
export function openTls(
  address: string,
  authority: string,
  { context }: TlsMaterial,
  pins: ReadonlySet<string> | undefined,
  lost: AbortSignal,
): Promise<Connection> {
  lost.throwIfAborted();
  const { host, port } = hostAndPort(authority);
  const tcp = connectTcp(port, host);
  tcp.setNoDelay(true);
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ socket: tcp, host, secureContext: context, ...name, ...onlyTls13 });
  const hangUp = (): void => void tcp.destroy();
  lost.addEventListener('abort', hangUp, { once: true });
  tcp.once('close', () => lost.removeEventListener('abort', hangUp));
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      tcp.destroy();
      reject(tlsFailed(address, error));
    };
    // An error after the promise is settled is the affair of whoever has the socket then.
    tcp.on('error', failed);
    socket.on('error', failed);
    socket.once('secureConnect', () => {
      const underlay = underlayOf(socket, pins);
      const { certificate } = underlay;
      if (certificate?.flaw === undefined) return resolve({ socket, tcp, underlay });
      tcp.destroy();
      reject(uncertified(address, certificate.flaw, certificate));
    });
  });
}

/** What a handshake has to know of an established TLS connection. */
export function underlayOf(socket: TLSSocket, pins: ReadonlySet<string> | undefined): Underlay {
  const shown = socket.getPeerX509Certificate();
  const binding = socket.exportKeyingMaterial(bindingBytes, bindingLabel, Buffer.alloc(0));
  if (shown === undefined) return { binding, certificate: { flaw: 'uncertified', id: '', roles: [] } };
  const code = socket.authorized ? undefined : String(socket.authorizationError);
  const unpinned = pins !== undefined && !pins.has(pinOf(shown.publicKey)) ? 'pin' : undefined;
  return { binding, certificate: { flaw: code === undefined ? unpinned : flawOf(code), ...namesOf(shown) } };
}

/** OpenSSL's word for what is wrong with a certificate, as one of ours; an unknown one says that it cannot be believed. */
function flawOf(code: string): CertificateFlaw {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'expired';
  return code === 'INVALID_PURPOSE' ? 'certified-role' : 'issuer';
}

/** What OpenSSL says of a chain that leads to no authority that is known. */
const unknownIssuer: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const unfit: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'INVALID_PURPOSE']);

/** The error for a TLS connection that was not made. */
function tlsFailed(address: string, error: Error & { code?: string }): Error {
  const code = error.code ?? '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return uncertified(address, 'certified-name', undefined, error.message);
  if (unknownIssuer.has(code) || unfit.has(code)) return uncertified(address, flawOf(code), undefined, code);
  return dialFailed(address, error);
}
