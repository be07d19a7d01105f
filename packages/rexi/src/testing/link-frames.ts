import { bytes, deaf, dial, listen, pair, type MakeBench, type TestWords } from './link-bench.ts';

/** That frames arrive as they were sent. */
export function framesSuite(makeBench: MakeBench, { describe, it, expect }: TestWords): void {
  describe('frames', () => {
    it('arrive whole, in order and once, in both directions', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      const sent = Array.from({ length: 200 }, (_, i) => `${i}:${'x'.repeat((i * 331) % 5_000)}`);
      for (const text of sent) near.link.send([bytes(text)]);
      for (const text of sent) far.link.send([bytes(text)]);
      await bench.until(() => near.heard.frames.length >= 200 && far.heard.frames.length >= 200);
      await bench.quiet();
      expect(far.heard.texts).toEqual(sent);
      expect(near.heard.texts).toEqual(sent);
    });

    it('are made of their parts, large and small', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      const large = 'y'.repeat(60_000);
      near.link.send([bytes('a'), bytes(''), bytes(large), bytes('b')]);
      near.link.send([bytes(''), bytes('')]);
      near.link.send([bytes('c')]);
      await bench.until(() => far.heard.frames.length >= 3);
      expect(far.heard.texts).toEqual([`a${large}b`, '', 'c']);
    });

    it('that are large arrive as they were sent, however long the peer leaves them in the socket', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      const frame = (i: number): string => `${i}`.padEnd(40_000 + i, String.fromCharCode(97 + (i % 26)));
      const sent = Array.from({ length: 240 }, (_, i) => frame(i));
      far.link.pause();
      for (const [i, text] of sent.entries()) {
        near.link.send([bytes(text.slice(0, 12)), bytes(text.slice(12))]);
        if (i % 16 === 0) await bench.quiet();
      }
      far.link.resume();
      await bench.until(() => far.heard.frames.length >= sent.length);
      expect(far.heard.texts).toEqual(sent);
    });

    it('do not arrive in the turn in which they are sent', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      near.link.send([bytes('later')]);
      expect(far.heard.texts).toEqual([]);
      await bench.until(() => far.heard.frames.length > 0);
    });

    it('sent by the listener before the dialler has its link are not lost', async () => {
      const bench = await makeBench();
      const at = await listen(bench, { accept: (link) => (link.handle(deaf), link.send([bytes('welcome')])) });
      const near = await dial(bench, at.listener.address);
      await bench.until(() => near.heard.frames.length > 0);
      expect(near.heard.texts).toEqual(['welcome']);
    });
  });
}

/** That a peer who does not read is felt, and not forgotten. */
export function pressureSuite(makeBench: MakeBench, { describe, it, expect }: TestWords): void {
  describe('pressure', () => {
    it('lets a pause hold frames back, and gives them all after it', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      far.link.pause();
      for (let i = 0; i < 10; i++) near.link.send([bytes(`${i}`)]);
      await bench.quiet();
      expect(far.heard.texts).toEqual([]);
      far.link.resume();
      await bench.until(() => far.heard.frames.length >= 10);
      expect(far.heard.texts.join('')).toBe('0123456789');
    });

    it('counts what was handed over as queued, and says once that it has drained', async () => {
      const bench = await makeBench();
      const { near } = await pair(bench);
      expect(near.link.queued).toBe(0);
      for (let i = 0; i < 3; i++) near.link.send([new Uint8Array(1_000)]);
      expect(near.link.queued >= 3_000).toBe(true);
      expect(near.heard.drains).toEqual([]);
      await bench.until(() => near.heard.drains.length > 0);
      await bench.quiet();
      expect(near.heard.drains).toEqual([0]);
    });

    it('keeps queued what a peer does not read, until it has read all of it', async () => {
      const bench = await makeBench();
      const { near, far } = await pair(bench);
      far.link.pause();
      for (let i = 0; i < 256; i++) near.link.send([new Uint8Array(65_536)]);
      await bench.quiet();
      for (let i = 0; i < 256; i++) near.link.send([new Uint8Array(65_536)]);
      await bench.quiet();
      expect(near.link.queued > 65_536).toBe(true);
      expect(near.heard.drains).toEqual([]);
      far.link.resume();
      await bench.until(() => far.heard.frames.length >= 512 && near.heard.drains.length > 0);
      await bench.quiet();
      expect(near.heard.drains).toEqual([0]);
    });
  });
}
