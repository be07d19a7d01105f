import { authorityOf } from '../handshake/authority.ts';
import type { Underlay } from '../handshake/certificate.ts';
import { reply, type Reply } from '../handshake/client.ts';
import { newIdentity } from '../handshake/identity.ts';
import {
  bytes,
  coordinator,
  dial,
  dialling,
  failure,
  finish,
  listen,
  secret,
  type LinkBench,
  type MakeBench,
  type TestWords,
} from './link-bench.ts';

/** That who is let in has proved who he is, and everybody else learns why not. */
export function handshakeSuite(makeBench: MakeBench, { describe, it, expect }: TestWords): void {
  describe('the handshake', () => {
    it('tells both who the other is', async () => {
      const bench = await makeBench();
      const identity = newIdentity('guardian', 'node ä "1"', bench.entropy);
      const self = newIdentity('worker', 'w', bench.entropy);
      const at = await listen(bench, { identity: self });
      const near = await dial(bench, at.listener.address, { identity, expect: 'w' });
      const { id, incarnation } = identity;
      expect(at.accepted[0]?.link.peer).toEqual({ role: 'guardian', id, incarnation });
      expect(near.link.peer).toEqual({ role: 'worker', id: 'w', incarnation: self.incarnation });
    });

    it('lets two links of one incarnation prove it', async () => {
      const bench = await makeBench();
      const at = await listen(bench);
      const identity = coordinator(bench);
      await dial(bench, at.listener.address, { identity });
      await dial(bench, at.listener.address, { identity: { ...identity, role: 'guardian' } });
      const seen = at.accepted.map(({ link }) => `${link.peer.role} ${link.peer.incarnation}`);
      expect(seen).toEqual([`coordinator ${identity.incarnation}`, `guardian ${identity.incarnation}`]);
    });

    const refused = async (changes: object, listening: object = {}): Promise<unknown> => {
      const bench = await makeBench();
      const at = await listen(bench, listening);
      const error = await failure(bench, bench.transport.dial(at.listener.address, dialling(bench, changes)));
      await bench.quiet();
      expect(at.accepted.length).toBe(0);
      return error;
    };

    it('refuses a wrong secret', async () => {
      expect(await refused({ secret: bytes('another one') })).toMatchObject({ code: 'unauthorized', detail: 'proof' });
    });

    it('refuses a role that the listener does not take, and by default the role of workers', async () => {
      expect(await refused({}, { roles: ['peer'] })).toMatchObject({ code: 'unauthorized', detail: 'role' });
      const bench = await makeBench();
      const identity = newIdentity('worker', 'x', bench.entropy);
      expect(await refused({ identity })).toMatchObject({ code: 'unauthorized', detail: 'role' });
    });

    it('refuses a node that is not the expected one', async () => {
      expect(await refused({ expect: 'other' })).toMatchObject({ code: 'unauthorized', detail: 'expect' });
    });

    it('refuses a seed that does not belong to the incarnation', async () => {
      const bench = await makeBench();
      const { seed } = coordinator(bench);
      const identity = { ...newIdentity('coordinator', 'c', bench.entropy), seed };
      expect(await refused({ identity })).toMatchObject({ code: 'unauthorized', detail: 'incarnation' });
    });

    it('refuses an authority that it does not advertise, and takes one that it does', async () => {
      const bench = await makeBench();
      const at = await listen(bench);
      const other = bench.alias(at.listener.address);
      const error = await failure(bench, bench.transport.dial(other, dialling(bench)));
      expect(error).toMatchObject({ code: 'unauthorized', detail: 'authority' });
      await finish(bench, at.listener.close());
      const name = authorityOf(other);
      const again = await listen(bench, { advertise: [name] }, at.listener.address);
      await dial(bench, other);
      expect(again.accepted.length).toBe(1);
    });

    it('says that nobody listens', async () => {
      const bench = await makeBench();
      const at = await listen(bench);
      await finish(bench, at.listener.close());
      const error = await failure(bench, bench.transport.dial(at.listener.address, dialling(bench)));
      expect(error).toMatchObject({ code: 'unreachable', retryable: true });
    });

    it('can be cancelled before and while it runs', async () => {
      const bench = await makeBench();
      const at = await listen(bench);
      const options = (signal: AbortSignal): Promise<unknown> =>
        bench.transport.dial(at.listener.address, dialling(bench, { signal }));
      expect(await failure(bench, options(AbortSignal.abort('no')))).toMatchObject({ code: 'cancelled', cause: 'no' });
      const controller = new AbortController();
      const dialled = failure(bench, options(controller.signal));
      controller.abort('changed my mind');
      expect(await dialled).toMatchObject({ code: 'cancelled', cause: 'changed my mind' });
      await bench.quiet();
      expect(at.accepted.length).toBe(0);
    });
  });
}

/** That a handshake cannot be used twice, or changed. */
export function forgerySuite(makeBench: MakeBench, { describe, it, expect }: TestWords): void {
  describe('a forged handshake', () => {
    /** A listener, and what makes good second requests to it. */
    async function ready(): Promise<{ bench: LinkBench; address: string; answer: (underlay: Underlay) => Reply }> {
      const bench = await makeBench();
      const at = await listen(bench);
      const { address } = at.listener;
      const challenge = await finish(bench, bench.request(address));
      expect(challenge.status).toBe(401);
      const options = { identity: coordinator(bench), secret };
      return { bench, address, answer: (underlay) => reply(address, options, bench.entropy, challenge, underlay) };
    }

    it('that replays a good one is refused', async () => {
      const { bench, address, answer } = await ready();
      let sent = '';
      const send = (underlay: Underlay): string => (sent = answer(underlay).authorization);
      const good = await finish(bench, bench.request(address, send));
      expect(good.status).toBe(101);
      const replayed = await finish(
        bench,
        bench.request(address, () => sent),
      );
      expect(replayed).toMatchObject({ status: 401, refused: 'replayed' });
    });

    it('whose proof was tampered with is refused', async () => {
      const { bench, address, answer } = await ready();
      const send = (underlay: Underlay): string => tamper(answer(underlay).authorization);
      const forged = await finish(bench, bench.request(address, send));
      expect(forged).toMatchObject({ status: 403, refused: 'proof' });
    });

    it('of a listener is refused by the client', async () => {
      const { bench, address, answer } = await ready();
      let sent: Reply | undefined;
      const send = (underlay: Underlay): string => (sent = answer(underlay)).authorization;
      const good = await finish(bench, bench.request(address, send));
      expect(sent?.verify(good).id).toBe('w');
      const forged = { ...good, proof: tamper(good.proof ?? '') };
      const error = await failure(
        bench,
        Promise.resolve().then(() => sent?.verify(forged)),
      );
      expect(error).toMatchObject({ code: 'unauthorized', detail: 'server proof' });
    });
  });
}

/** Another first digit in `proof="…"`. */
function tamper(header: string): string {
  return header.replace(/proof="(.)/, (_all, digit: string) => `proof="${digit === 'A' ? 'B' : 'A'}`);
}
