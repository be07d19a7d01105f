import { internals as coordinator } from '@muster/coordinator/testing';
import { internals as worker } from '@muster/worker/testing';
import { all, swap } from '../planted/breaking.ts';
import { plantedBug } from '../planted/planted.ts';

const { GuardianCore, Incarnation } = coordinator;
const { Sessions } = worker;

/** Takes the rules away that these planted bugs break, and what else is given. */
export function without(...names: readonly (string | (() => () => void))[]): () => () => void {
  return () => all(...names.map((name) => (typeof name === 'string' ? plantedBug(name).plant() : name())));
}

/** A guardian that is told of the end of a session keeps it to itself. */
export function endIsNotPassedOn(): () => void {
  return swap(
    GuardianCore.prototype,
    'told',
    (real) =>
      function told(this: InstanceType<typeof GuardianCore>, message, now) {
        const effects = real.call(this, message, now);
        return message.do === 'end' ? effects.filter((effect) => effect.do !== 'send') : effects;
      },
  );
}

/** A guardian that fences a coordinator which stalls does not say so: that goes on under its incarnation. */
export function stallIsNotSaid(): () => void {
  return swap(
    GuardianCore.prototype,
    'tick',
    (real) =>
      function tick(this: InstanceType<typeof GuardianCore>, now) {
        return real.call(this, now).filter(({ do: what }) => what !== 'say');
      },
  );
}

/** Nodes take every guardian for the first. */
export function guardiansAreNotNumbered(): () => void {
  return swap(
    Sessions.prototype,
    'guard',
    (real) =>
      function guard(this: InstanceType<typeof Sessions>, incarnation, link, _number, now) {
        return real.call(this, incarnation, link, 1, now);
      },
  );
}

/** A lease that ends takes its incarnation along. */
export function endOfLeaseFences(): () => void {
  return swap(
    Sessions.prototype,
    'expire',
    (real) =>
      function expire(this: InstanceType<typeof Sessions>, now) {
        const effects = real.call(this, now);
        const lost = effects.flatMap((effect) => (effect.do === 'end' ? [effect] : [])).filter(isLost);
        return [...effects, ...lost.flatMap(({ session }) => this.fence(session.incarnation, noLink, now))];
      },
  );
}

const noLink = -1;

function isLost({ code }: { readonly code: string }): boolean {
  return code === 'lease_lost';
}

/** What comes over a link goes into the session that was the last one there, whether or not it has ended. */
export function castsOutliveSessions(): () => void {
  const last = new WeakMap<object, Map<string, ReturnType<InstanceType<typeof Sessions>['current']>>>();
  return swap(
    Sessions.prototype,
    'current',
    (real) =>
      function current(this: InstanceType<typeof Sessions>, incarnation, link) {
        const mine = last.get(this) ?? new Map<string, ReturnType<InstanceType<typeof Sessions>['current']>>();
        last.set(this, mine);
        const key = `${incarnation} ${link}`;
        const session = real.call(this, incarnation, link) ?? mine.get(key);
        mine.set(key, session);
        return session;
      },
  );
}

/** Casts go to a node whose session is being opened. */
export function castsBeforeAcceptance(): () => void {
  return swap(
    Incarnation.prototype,
    'node',
    (real) =>
      function node(this: InstanceType<typeof Incarnation>, name) {
        const found = real.call(this, name);
        if (found?.state === 'opening') found.state = 'up';
        return found;
      },
  );
}

/** A coordinator that closes says its last kills, and lets its guardian go before they have left. */
export function closeDoesNotWait(): () => void {
  return swap(
    Incarnation.prototype,
    'close',
    () =>
      function close(this: InstanceType<typeof Incarnation>) {
        for (const node of this.nodes) void node.killAll();
        this.guardian.release();
        return Promise.resolve();
      },
  );
}
