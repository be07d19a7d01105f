import type { LinkFault } from '../proxy/link-fault.ts';
import type { Proxy } from '../proxy/proxy.ts';
import type { Wire } from '../proxy/wire.ts';

/** Who can be cut off from whom: a node by its name, the coordinator, its guardian. */
export type Party = string;

/** The proxies in front of a lab's nodes, as one network between named parties. */
export class LabNetwork {
  readonly #proxies: ReadonlyMap<string, Proxy>;

  constructor(proxies: ReadonlyMap<string, Proxy>) {
    this.#proxies = proxies;
  }

  /** Holds what either says to the other, also on connections that come later; returns what heals it. */
  partition(a: Party, b: Party): () => void {
    return this.fault(a, b, { kind: 'hold' });
  }

  /** Does something to all connections between two parties; returns what takes it away again. */
  fault(a: Party, b: Party, fault: LinkFault): () => void {
    const heals = [
      [a, b],
      [b, a],
    ].flatMap(([from = '', to = '']) => {
      const proxy = this.#proxies.get(to);
      return proxy === undefined ? [] : [proxy.fault(fault, (wire) => isFrom(wire, from))];
    });
    return () => {
      for (const heal of heals) heal();
    };
  }

  heal(): void {
    for (const proxy of this.#proxies.values()) proxy.heal();
  }
}

/** A coordinator and its guardian share a name, and differ by their role. */
function isFrom({ role, from }: Wire, party: Party): boolean {
  return role === 'peer' ? from === party : role === party;
}
