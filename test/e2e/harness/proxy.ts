import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { Wire } from './wire.ts';

/** A TCP proxy on loopback in front of one node. Start it first: the node has to advertise its name. */
export class Proxy {
  readonly wires: Wire[] = [];
  /** Where connections go to; those that come before it is known are refused. */
  target = 0;
  /** Called with each new connection, before its first byte. */
  greet: (wire: Wire) => void = () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (near: Socket) => {
      const wire = new Wire(near, connect(this.target, '127.0.0.1'));
      this.wires.push(wire);
      this.greet(wire);
    });
  }

  static async open(): Promise<Proxy> {
    const server = createServer({ pauseOnConnect: false });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get authority(): string {
    return `127.0.0.1:${this.port}`;
  }

  get address(): string {
    return `ws://${this.authority}`;
  }

  /** Connections of this role that are open. */
  of(role: string): Wire[] {
    return this.wires.filter((wire) => wire.open && wire.role === role);
  }

  /** Resets all connections, as a machine does that is back without knowing them. */
  cut(): void {
    for (const wire of this.wires) wire.cut();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}
