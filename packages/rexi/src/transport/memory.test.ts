import { describe, expect, it } from 'vitest';
import { plain } from '../handshake/certificate.ts';
import { linkSuite } from '../testing/link-suite.ts';
import { bytes, dial, dialling, failure, listen, onlyOne, pair, type LinkBench } from '../testing/link-bench.ts';
import { seededEntropy } from '../testing/seeded-entropy.ts';
import { virtualClock, type VirtualClock } from '../testing/virtual-clock.ts';
import { memoryNetwork, type MemoryNetwork, type MemoryOptions } from './memory.ts';

interface MemoryBench extends LinkBench {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
}

function bench(options: Partial<MemoryOptions> = {}, clock: VirtualClock = virtualClock()): MemoryBench {
  const entropy = seededEntropy('memory');
  const network = memoryNetwork({ clock, entropy, ...options });
  return {
    clock,
    network,
    transport: network,
    entropy,
    address: 'ws://w.test:0',
    async until(done) {
      for (let turns = 0; !done(); turns++) {
        if (turns > 2_000) throw new Error('It has not happened.');
        await clock.pass(1);
      }
    },
    quiet: () => clock.pass(1_000),
    alias(address) {
      network.alias('ws://elsewhere.test:1', address);
      return 'ws://elsewhere.test:1';
    },
    request: (address, authorize) => network.request(address, authorize?.(plain)),
  };
}

linkSuite('memory', () => bench(), { describe, it, expect });
linkSuite('memory with latency', () => bench({ latency: 5 }), { describe, it, expect });

describe('a network in memory', () => {
  it('loses a link without a word, and tells both after the time it was given', async () => {
    const { network, clock, ...rest } = bench();
    const { near, far } = await pair({ ...rest });
    onlyOne([...network.links]).lose(30_000);
    near.link.send([bytes('into the void')]);
    await clock.pass(29_999);
    expect([...near.heard.heard, ...far.heard.heard]).toEqual([]);
    await clock.pass(1);
    const silent = [{ by: 'silent', code: 1006, reason: 'ETIMEDOUT' }];
    expect(near.heard.ends).toEqual(silent);
    expect(far.heard.ends).toEqual(silent);
    expect(network.links.size).toBe(0);
  });

  it('lets an abort of a lost link reach nobody', async () => {
    const { network, clock, ...rest } = bench();
    const { near, far } = await pair({ ...rest });
    onlyOne([...network.links]).lose(30_000);
    near.link.abort('silent for too long');
    await clock.pass(29_999);
    expect(near.heard.ends).toEqual([{ by: 'self', code: 1006, reason: 'silent for too long' }]);
    expect(far.heard.ends).toEqual([]);
    await clock.pass(1);
    expect([near.heard.ends.length, far.heard.ends.length]).toEqual([1, 1]);
  });

  it('ends a close that is not answered after five seconds', async () => {
    const { clock, ...rest } = bench();
    const { near, far } = await pair({ ...rest });
    far.link.pause();
    near.link.close(4000, 'bye');
    await clock.pass(4_999);
    expect(near.heard.ends).toEqual([]);
    await clock.pass(1);
    expect(near.heard.ends).toEqual([{ by: 'self', code: 4000, reason: 'bye' }]);
    expect(far.heard.ends).toEqual([{ by: 'peer', code: 1006, reason: '' }]);
  });

  it('lets a frame be under way for its latency', async () => {
    const { clock, ...rest } = bench({ latency: 25 });
    const { near, far } = await pair({ ...rest });
    near.link.send([bytes('x')]);
    await clock.pass(24);
    expect(far.heard.texts).toEqual([]);
    await clock.pass(1);
    expect(far.heard.texts).toEqual(['x']);
  });

  it('leaves no timer behind when all is over', async () => {
    const { clock, ...rest } = bench();
    const { near, at } = await pair({ ...rest });
    await failure(rest, rest.transport.dial(at.listener.address, dialling(rest, { expect: 'nobody' })));
    near.link.close(1000, '');
    await clock.settle();
    expect(near.heard.ends).toHaveLength(1);
    expect(clock.waiting).toBe(0);
  });

  it('does the same again under the same seed', async () => {
    const once = async (): Promise<string> => {
      const world = bench();
      const at = await listen(world);
      const near = await dial(world, at.listener.address);
      return `${near.link.peer.incarnation} ${onlyOne(at.accepted).link.peer.incarnation} ${world.clock.now()}`;
    };
    expect(await once()).toBe(await once());
  });
});
