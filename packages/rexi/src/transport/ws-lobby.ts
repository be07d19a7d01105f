import type { Socket } from 'node:net';
import type { Clock, Timer } from '../seams.ts';

export interface LobbyOptions {
  readonly clock: Clock;
  /** Sockets that may be here at once. */
  readonly most: number;
  /** Milliseconds that one may be here. */
  readonly patience: number;
}

/**
 * The sockets that have proved nothing yet. When it is full the oldest goes: an honest client is through within
 * milliseconds, and one who only holds sockets open keeps nobody out.
 */
export class Lobby {
  readonly #options: LobbyOptions;
  readonly #waiting = new Map<Socket, Timer>();

  constructor(options: LobbyOptions) {
    this.#options = options;
  }

  /** How many are here. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Lets a socket wait for a while, and no longer. */
  enter(socket: Socket): void {
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= this.#options.most) this.#evict(oldest);
    const timer = this.#options.clock.after(this.#options.patience, () => this.#evict(socket));
    this.#waiting.set(socket, timer);
    socket.once('close', () => this.leave(socket));
  }

  /** It has proved who it is, or is gone. */
  leave(socket: Socket): void {
    this.#waiting.get(socket)?.cancel();
    this.#waiting.delete(socket);
  }

  /** Nobody waits any more. */
  clear(): void {
    for (const socket of this.#waiting.keys()) this.#evict(socket);
  }

  #evict(socket: Socket): void {
    this.leave(socket);
    socket.destroy();
  }
}
