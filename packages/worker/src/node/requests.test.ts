import { Channel, constants, memoryNetwork, newIdentity } from '@muster/rexi';
import type { Message } from '@muster/rexi';
import { seededEntropy, virtualClock } from '@muster/rexi/testing';
import { expect, it } from 'vitest';
import { memoryNode } from '../testing/memory-node.ts';

it('A peer that asks thousandfold and reads nothing is answered no more than its link has room for', async () => {
  const [clock, entropy] = [virtualClock(10_000), seededEntropy('requests')];
  const network = memoryNetwork({ clock, entropy });
  const secret = Buffer.from('a secret of some length');
  const limits = { inFlight: 20_000, inFlightMax: 20_000 };
  const node = await memoryNode({
    id: 'w1',
    clock,
    entropy,
    transport: network,
    secret,
    scripts: {},
    constants: limits,
  });
  const dialling = network.dial(node.address, {
    identity: newIdentity('coordinator', 'c', entropy),
    secret,
    timeout: 5_000,
  });
  await clock.pass(50);
  const link = await dialling;
  const heard: Message[] = [];
  const handler = { message: (message: Message) => void heard.push(message), ended: () => undefined };
  const channel = new Channel(link, { clock, constants: constants(), handler });
  let answered = 0;
  Object.defineProperty(node.agent, 'links', { get: () => void (answered += 1) });
  link.pause();
  for (let id = 0; id < 1_000; id += 1) channel.send({ type: 'request', id, name: 'stats', value: new Uint8Array() });
  await clock.pass(100);
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThan(500);
  link.resume();
  await clock.pass(60_000);
  expect(heard.filter(({ type }) => type === 'response')).toHaveLength(1_000);
});
