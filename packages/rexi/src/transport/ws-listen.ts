import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { authority, authorityOf, authoritySet, hostAndPort, schemeOf } from '../handshake/authority.ts';
import { plain } from '../handshake/certificate.ts';
import { Gate } from '../handshake/gate.ts';
import { subprotocol } from '../handshake/transcript.ts';
import type { Refused } from '../handshake/verdict.ts';
import type { Listener, ListenOptions, Peer } from '../seams.ts';
import { listenFailed } from './failure.ts';
import { TlsFront } from './tls-front.ts';
import { needsTls, type WsTools } from './ws-dial.ts';
import { WsLink } from './ws-link.ts';
import type { WsLimits } from './ws-limits.ts';
import { maxHeaderSize, socketOptions } from './ws-options.ts';
import { Lobby } from './ws-lobby.ts';

/** Listens. Port 0 is any free port; `address` of the result says which. */
export async function wsListen(address: string, options: ListenOptions, tools: WsTools): Promise<Listener> {
  const wanted = hostAndPort(authorityOf(address));
  const advertised = authoritySet(options.advertise ?? []);
  const front = schemeOf(address) === 'wss' ? await frontOf(address, options, tools) : undefined;
  const settings = suspicious(tools.limits);
  const server = front?.server(settings) ?? createServer(settings);
  server.maxConnections = tools.limits.connections;
  const bound = await bind(server, address, wanted);
  const name = authority(wanted.host, bound.port);
  const names = new Set([name, authority(bound.address, bound.port), ...advertised]);
  const door = new Door(new Gate({ ...tools, ...options, authorities: () => names }), options, tools, front);
  door.serve(server);
  const close = (): Promise<void> => door.close(server);
  if (front === undefined) return { address: `ws://${name}`, close };
  return { address: `wss://${name}`, close, reload: () => front.reload() };
}

async function frontOf(address: string, { identity }: ListenOptions, { tls }: WsTools): Promise<TlsFront> {
  if (tls === undefined) throw needsTls(address);
  return TlsFront.of(await tls(), identity);
}

/** For a server that is suspicious of slow and wordy clients. */
function suspicious({ handshake }: WsLimits): ServerOptions {
  return {
    headersTimeout: handshake,
    requestTimeout: handshake,
    connectionsCheckingInterval: Math.min(1_000, handshake),
    maxHeaderSize,
    noDelay: true,
  };
}

function bind(server: Server, address: string, at: { host: string; port: number }): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(listenFailed(address, error));
    server.once('error', failed);
    server.listen(at.port, at.host, () => {
      server.off('error', failed);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** What happens between a connection and a link. */
class Door {
  readonly #gate: Gate;
  readonly #options: ListenOptions;
  readonly #tools: WsTools;
  readonly #front: TlsFront | undefined;
  readonly #lobby: Lobby;
  readonly #upgrader: WebSocketServer;
  /** The headers that go into a 101; `ws` asks for them in an event. */
  readonly #proofs = new WeakMap<IncomingMessage, Readonly<Record<string, string>>>();

  constructor(gate: Gate, options: ListenOptions, tools: WsTools, front: TlsFront | undefined) {
    this.#gate = gate;
    this.#front = front;
    this.#options = options;
    this.#tools = tools;
    const { clock, limits } = tools;
    this.#lobby = new Lobby({ clock, most: limits.unauthenticated, patience: limits.handshake });
    const shared = { noServer: true, clientTracking: false, handleProtocols: () => subprotocol };
    this.#upgrader = new WebSocketServer({ ...socketOptions(limits), ...shared });
    this.#upgrader.on('headers', (headers, request) => {
      for (const [name, value] of Object.entries(this.#proofs.get(request) ?? {})) headers.push(`${name}: ${value}`);
    });
  }

  serve(server: Server): void {
    server.on('connection', (socket) => this.#lobby.enter(socket));
    server.on('upgrade', (request, socket, head) => this.#knocked(request, socket, head));
    server.on('request', (_request, response) => {
      response.writeHead(426, { Connection: 'close, Upgrade', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
      response.end('Nothing is served here but links of Muster nodes.\n');
    });
  }

  // oxlint-disable-next-line require-await -- the seam is asynchronous: another transport may have to wait
  async close(server: Server): Promise<void> {
    this.#lobby.clear();
    // Its callback would wait for the links, which live on; the port is free already.
    server.close();
  }

  #knocked(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { headers } = request;
    const tcp = this.#front === undefined ? request.socket : this.#front.below(request.socket);
    if (tcp === undefined || socket.destroyed) return void socket.destroy();
    const verdict = this.#gate.judge({
      host: headers.host,
      origin: headers.origin ?? [headers['sec-websocket-origin']].flat()[0],
      protocols: headers['sec-websocket-protocol'],
      authorization: headers.authorization,
      underlay: this.#front?.underlay(request.socket) ?? plain,
    });
    if (verdict.kind !== 'accepted') return hangUp(socket, verdict);
    this.#proofs.set(request, verdict.headers);
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => {
      this.#lobby.leave(tcp);
      this.#options.accept(this.#link(ws, request.socket, tcp, verdict.peer));
    });
  }

  #link(ws: WebSocket, socket: Socket, tcp: Socket, peer: Peer): WsLink {
    const { clock, limits } = this.#tools;
    return new WsLink({ ws, socket, tcp, peer, clock, closing: limits.closing });
  }
}

function hangUp(socket: Duplex, { status, headers, text }: Refused): void {
  const body = `${text}\n`;
  const all = {
    ...headers,
    Connection: 'close',
    'Content-Type': 'text/plain',
    'Content-Length': Buffer.byteLength(body),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  // A reset while we write is the client's affair.
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}
