import type { Constants, Message } from '@muster/rexi';
import { surelyDeadAfter } from '@muster/rexi';
import type { FromGuardian, ToGuardian } from './pipe.ts';

/** What the guardian's shell has to do. */
export type GuardianEffect =
  | { readonly do: 'dial'; readonly address: string; readonly node: string; readonly addresses: readonly string[] }
  | { readonly do: 'send'; readonly address: string; readonly message: Message }
  | { readonly do: 'say'; readonly message: FromGuardian }
  /** 0: every node has answered; 3: at least one could not be told, and its leases must have run out by now. */
  | { readonly do: 'exit'; readonly code: 0 | 3 };

interface Node {
  readonly address: string;
  readonly node: string;
  linked: boolean;
  /** The coordinator waits to hear that it is linked. */
  asked: boolean;
  /** The session that is vouched for. */
  session: number | undefined;
  /** The newest stamp echoed for it. */
  echoed: number;
  /** When the last renewal left, on the guardian's clock. */
  renewedAt: number;
  /** Milliseconds after that when the node's own lease must have ended its jobs. */
  bound: number;
  fenced: boolean;
}

/** Why everything is being fenced. */
type Fencing = { readonly since: number; readonly why: 'death' | 'stall' | 'release' };

/**
 * What a guardian decides. It vouches for its coordinator while that lives, for at most V when it stalls, and when it is
 * dead, fences its incarnation at every node and goes. Pure: events and the time come in, effects come out.
 */
export class GuardianCore {
  readonly #constants: Constants;
  readonly #number: number;
  readonly #nodes: Map<string, Node> = new Map();
  #lastSign: number;
  #lastTick: number;
  #fencing: Fencing | undefined;

  constructor(constants: Constants, number: number, now: number) {
    this.#constants = constants;
    this.#number = number;
    this.#lastSign = this.#lastTick = now;
  }

  /** A line from the coordinator; each is a sign of life. */
  told(message: ToGuardian, now: number): GuardianEffect[] {
    this.#lastSign = now;
    // Also while it fences: that is no reason to be taken for stopped.
    if (message.do === 'beat') return [{ do: 'say', message: { is: 'alive' } }];
    if (this.#fencing !== undefined) return [];
    switch (message.do) {
      case 'node':
        return this.#know(message, now);
      case 'block':
        return [{ do: 'say', message: { is: 'registered', to: message.to } }];
      case 'session':
        return this.#vouch(message, now);
      case 'end':
        return this.#end(message.address, message.session);
      case 'release':
        return this.#fence('release', now);
      default:
        return [];
    }
  }

  /** The pipe has ended: the coordinator is dead. */
  pipeEnded(now: number): GuardianEffect[] {
    return this.#fencing === undefined ? this.#fence('death', now) : [];
  }

  linked(address: string): GuardianEffect[] {
    const node = this.#nodes.get(address);
    if (node === undefined) return [];
    node.linked = true;
    const effects: GuardianEffect[] = [{ do: 'send', address, message: { type: 'guard', number: this.#number } }];
    if (this.#fencing !== undefined) return [...effects, { do: 'send', address, message: { type: 'fence' } }];
    if (node.asked) effects.push({ do: 'say', message: { is: 'linked', address } });
    node.asked = false;
    return effects;
  }

  /** The link is over, or could not be made; the shell asks again after its backoff through `dial`. */
  unlinked(address: string): void {
    const node = this.#nodes.get(address);
    if (node !== undefined) node.linked = false;
  }

  /** Whether a lost link is still worth dialling. */
  wants(address: string): boolean {
    const node = this.#nodes.get(address);
    return node !== undefined && !node.fenced;
  }

  heard(address: string, message: Message, now: number): GuardianEffect[] {
    const node = this.#nodes.get(address);
    if (node === undefined) return [];
    if (message.type === 'heartbeat') return this.#renew(node, message.stamp, now);
    if (message.type === 'fenced' && message.left.length === 0) {
      node.fenced = true;
      return this.#leave(now);
    }
    // Some jobs took longer than K: ask again until they are gone.
    if (message.type === 'fenced') return [{ do: 'send', address, message: { type: 'fence' } }];
    return [];
  }

  /** Once a heartbeat. */
  tick(now: number): GuardianEffect[] {
    const late = now - this.#lastTick > 2 * this.#constants.heartbeat;
    this.#lastTick = now;
    if (this.#fencing !== undefined) return this.#leave(now);
    // A guardian that was stopped itself has signs of life waiting in its pipe: it judges at the next tick.
    if (late || now - this.#lastSign <= this.#constants.vouch) return [];
    return this.#fence('stall', now);
  }

  #know({ address, node, addresses }: Extract<ToGuardian, { do: 'node' }>, now: number): GuardianEffect[] {
    const known = this.#nodes.get(address);
    if (known?.linked === true) return [{ do: 'say', message: { is: 'linked', address } }];
    if (known !== undefined) {
      known.asked = true;
      return [];
    }
    this.#nodes.set(address, {
      address,
      node,
      linked: false,
      asked: true,
      session: undefined,
      echoed: 0,
      renewedAt: now,
      bound: surelyDeadAfter(this.#constants),
      fenced: false,
    });
    return [{ do: 'dial', address, node, addresses: addresses ?? [address] }];
  }

  #vouch({ address, session, bound }: Extract<ToGuardian, { do: 'session' }>, now: number): GuardianEffect[] {
    const node = this.#nodes.get(address);
    if (node === undefined) return [];
    node.session = session;
    node.bound = Math.max(node.bound, bound);
    node.echoed = 0;
    node.renewedAt = now;
    return [];
  }

  /** Answered whether or not the node is reached: that the renewals stop is what counts. */
  #end(address: string, session: number): GuardianEffect[] {
    const node = this.#nodes.get(address);
    const stamp = node?.session === session ? node.echoed : 0;
    if (node?.session === session) node.session = undefined;
    const effects: GuardianEffect[] = [{ do: 'say', message: { is: 'ended', address, session, stamp } }];
    if (node?.linked === true) effects.unshift({ do: 'send', address, message: { type: 'end', session } });
    return effects;
  }

  #renew(node: Node, stamp: number, now: number): GuardianEffect[] {
    const vouches = this.#fencing === undefined && now - this.#lastSign <= this.#constants.vouch;
    if (!vouches || node.session === undefined) return [];
    node.echoed = Math.max(node.echoed, stamp);
    node.renewedAt = now;
    return [{ do: 'send', address: node.address, message: { type: 'renew', session: node.session, stamp } }];
  }

  #fence(why: Fencing['why'], now: number): GuardianEffect[] {
    this.#fencing = { since: now, why };
    const effects: GuardianEffect[] = [];
    // Said first: the coordinator reads its pipe to the end before it starts another guardian under this incarnation.
    if (why === 'stall')
      effects.push({ do: 'say', message: { is: 'fencing', why: 'the coordinator gave no sign of life' } });
    for (const { address, linked } of this.#nodes.values()) {
      if (linked) effects.push({ do: 'send', address, message: { type: 'fence' } });
    }
    return [...effects, ...this.#leave(now)];
  }

  /** Goes when every node has answered, or its leases must have run out without it. */
  #leave(now: number): GuardianEffect[] {
    const since = this.#fencing?.since ?? now;
    const expired = (node: Node): boolean => now - Math.max(since, node.renewedAt) > node.bound;
    const open = [...this.#nodes.values()].filter((node) => !node.fenced);
    if (!open.every(expired)) return [];
    return [{ do: 'exit', code: open.length === 0 ? 0 : 3 }];
  }
}
