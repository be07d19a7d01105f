import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions as TlsServerOptions, TLSSocket } from 'node:tls';
import type { Underlay } from '../handshake/certificate.ts';
import type { Identity } from '../seams.ts';
import { underlayOf } from './tls-connection.ts';
import { onlyTls13, type TlsMaterial, type TlsSource } from './tls-source.ts';

/** What TLS is to a listener: the server that speaks it, its certificates, and the connections below and above it. */
export class TlsFront {
  readonly #source: TlsSource;
  readonly #identity: Identity;
  #material: TlsMaterial;
  #server: Server | undefined;
  /** The TCP connections below by their other end, which is the same above. */
  readonly #below = new Map<string, Socket>();

  /** @throws ClusterError `bad_options` for certificates that cannot be used, or not by this node. */
  static async of(source: TlsSource, identity: Identity): Promise<TlsFront> {
    return new TlsFront(source, identity, await source.read(identity));
  }

  private constructor(source: TlsSource, identity: Identity, material: TlsMaterial) {
    this.#source = source;
    this.#identity = identity;
    this.#material = material;
  }

  /** The server, once. */
  server(settings: ServerOptions): Server {
    const server = createServer({ ...settings, ...context(this.#material), ...everybody });
    server.on('connection', (socket: Socket) => {
      const name = endOf(socket);
      if (name === undefined) return void socket.destroy();
      this.#below.set(name, socket);
      socket.once('close', () => this.#below.delete(name));
    });
    return (this.#server = server);
  }

  /** The TCP connection below a TLS socket; undefined when it is gone. */
  below(socket: Socket): Socket | undefined {
    return this.#below.get(endOf(socket) ?? '');
  }

  /** What the handshake over a TLS socket has to know of it. */
  underlay(socket: Socket): Underlay {
    return underlayOf(socket as TLSSocket, this.#source.pins);
  }

  /** @throws ClusterError `bad_options` for certificates that cannot be used; those from before stay. */
  async reload(): Promise<void> {
    this.#material = await this.#source.read(this.#identity);
    this.#server?.setSecureContext(context(this.#material));
  }
}

/** Whoever has no certificate that holds is told so by the gate, in words; a broken TLS handshake could not say them. */
const everybody: TlsServerOptions = { requestCert: true, rejectUnauthorized: false };

/** A session that is resumed would bring along what its certificate was worth once: each connection proves itself anew. */
function context({ ca, cert, key }: TlsMaterial): TlsServerOptions & { secureOptions: number } {
  return { ca, cert, key, ...onlyTls13, secureOptions: constants.SSL_OP_NO_TICKET };
}

/** Undefined when the other end is gone already. */
function endOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
