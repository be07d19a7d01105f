import type { Link } from '../seams.ts';
import {
  bytes,
  dial,
  dialling,
  failure,
  finish,
  listen,
  pair,
  Recorder,
  type MakeBench,
  type TestWords,
} from './link-bench.ts';

/** That every end is told to both sides, once. */
export function endsSuite(makeBench: MakeBench, { describe, it, expect }: TestWords): void {
  describe('the end', () => {
    it('says a close with its code and reason to both, behind the frames before it', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      near.link.send([bytes('last words')]);
      near.link.close(4007, 'stalled');
      await bench.until(() => near.heard.ends.length > 0 && far.heard.ends.length > 0);
      expect(far.heard.texts).toEqual(['last words']);
      expect(far.heard.ends).toEqual([{ by: 'peer', code: 4007, reason: 'stalled' }]);
      expect(near.heard.ends).toEqual([{ by: 'self', code: 4007, reason: 'stalled' }]);
    });

    it('leaves each side its own word when both close', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      near.link.close(4008, 'near');
      far.link.close(4009, 'far');
      await bench.until(() => near.heard.ends.length > 0 && far.heard.ends.length > 0);
      expect(near.heard.ends).toEqual([{ by: 'self', code: 4008, reason: 'near' }]);
      expect(far.heard.ends).toEqual([{ by: 'self', code: 4009, reason: 'far' }]);
    });

    it('by abort is seen by the peer as a close without a word', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      near.link.abort('gone');
      await bench.until(() => near.heard.ends.length > 0 && far.heard.ends.length > 0);
      expect(far.heard.ends).toEqual([{ by: 'peer', code: 1006, reason: '' }]);
      expect(near.heard.ends).toEqual([{ by: 'self', code: 1006, reason: 'gone' }]);
    });

    it('by abort does not wait for a peer that does not read', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      far.link.pause();
      for (let i = 0; i < 512; i++) near.link.send([new Uint8Array(65_536)]);
      await bench.quiet();
      near.link.abort('stalled');
      await bench.until(() => near.heard.ends.length > 0);
      expect(near.heard.ends).toEqual([{ by: 'self', code: 1006, reason: 'stalled' }]);
    });

    it('comes to a link that closes while it is paused', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      near.link.pause();
      far.link.send([bytes('unread')]);
      await bench.quiet();
      near.link.close(4007, 'stalled');
      await bench.until(() => near.heard.ends.length > 0 && far.heard.ends.length > 0);
      expect(near.heard.texts).toEqual([]);
      expect(far.heard.ends).toEqual([{ by: 'peer', code: 4007, reason: 'stalled' }]);
    });

    it('keeps the word that was said first, when a close is cut short', async () => {
      const bench = await makeBench();
      const { near } = await pair(bench);
      near.link.close(4007, 'stalled');
      near.link.abort('and gone');
      await bench.until(() => near.heard.ends.length > 0);
      expect(near.heard.ends).toEqual([{ by: 'self', code: 4007, reason: 'stalled' }]);
    });

    it('is told to a handler that comes too late for it', async () => {
      const bench = await makeBench();
      const links: Link[] = [];
      const at = await listen(bench, { accept: (link) => void links.push(link) });
      const near = await dial(bench, at.listener.address);
      near.link.abort('gone');
      await bench.until(() => near.heard.ends.length > 0);
      await bench.quiet();
      const [late] = links as [Link];
      const heard = new Recorder(late);
      late.handle(heard);
      expect(heard.ends).toEqual([]);
      await bench.until(() => heard.ends.length > 0);
      expect(heard.ends).toEqual([{ by: 'peer', code: 1006, reason: '' }]);
    });

    it('is told once, last, and not within the call that makes it', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      for (let i = 0; i < 20; i++) {
        near.link.send([bytes('to far')]);
        far.link.send([bytes('to near')]);
      }
      near.link.close(1000, 'done');
      near.link.close(4000, 'again');
      expect(near.heard.ends).toEqual([]);
      await bench.until(() => near.heard.ends.length > 0 && far.heard.ends.length > 0);
      near.link.send([bytes('too late')]);
      near.link.abort('again');
      far.link.abort('again');
      await bench.quiet();
      for (const { heard } of [near, far]) {
        expect(heard.ends.length).toBe(1);
        expect(heard.heard.at(-1)).toBe('ended');
      }
      expect(far.heard.texts).toEqual(Array.from({ length: 20 }, () => 'to far'));
    });

    it('lets nothing more be delivered to the side that has closed', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      far.link.send([bytes('crossing')]);
      near.link.close(1000, '');
      await bench.until(() => near.heard.ends.length > 0);
      expect(near.heard.texts).toEqual([]);
    });

    it('of the listener leaves its links alone', async () => {
      const bench = await makeBench();
      const { near, far, at } = await pair(bench);
      await finish(bench, at.listener.close());
      near.link.send([bytes('still here')]);
      await bench.until(() => far.heard.frames.length > 0);
      expect(far.heard.ends).toEqual([]);
      const error = await failure(bench, bench.transport.dial(at.listener.address, dialling(bench)));
      expect(error).toMatchObject({ code: 'unreachable' });
    });
  });
}
