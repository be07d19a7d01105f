import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/**
 * Stands between coordinators and a node, and passes bytes on. While it `holds`, a caller that dies is not noticed by
 * the node: its links stay open and silent, as when the caller's machine has lost its power.
 */
export class Proxy {
  holds = false;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Proxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server);
  }

  /** `host:port`, as it is dialled. */
  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on callers reach this port. */
  passTo(port: number): void {
    this.#server.on('connection', (caller) => this.#pass(caller, connect(port, '127.0.0.1')));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(caller: Socket, node: Socket): void {
    for (const socket of [caller, node]) {
      this.#sockets.add(socket.setNoDelay(true));
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    caller.pipe(node, { end: false });
    node.pipe(caller, { end: false });
    caller.on('close', () => (this.holds ? node.resume() : node.destroy()));
    node.on('close', () => caller.destroy());
  }
}
