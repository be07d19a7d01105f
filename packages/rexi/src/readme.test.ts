import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
// readme: begin
import {
  Channel,
  constants,
  newIdentity,
  systemClock as clock,
  systemEntropy as entropy,
  wsTransport,
} from './index.ts';
import type { Link, Message } from './index.ts';

const transport = wsTransport({ clock, entropy });
const secret = Buffer.from('from a file that only the cluster can read');
const talk = (link: Link, message: (channel: Channel, message: Message) => void): Channel => {
  const handler = { message: (one: Message) => message(channel, one), ended: () => undefined };
  const channel: Channel = new Channel(link, { clock, constants: constants(), handler });
  return channel;
};

const worker = newIdentity('worker', 'w1', entropy);
const accept = (link: Link): void => {
  talk(
    link,
    (channel, { type }) => type === 'session-open' && channel.send({ type: 'go-away', reason: 'just looking' }),
  );
};
const listener = await transport.listen('ws://127.0.0.1:0', { identity: worker, secret, accept });

const identity = newIdentity('coordinator', 'c1', entropy);
const link = await transport.dial(listener.address, { identity, secret, expect: 'w1', timeout: 5_000 });
const answer = new Promise<Message>((resolve) => {
  const channel = talk(link, (_, message) => message.type === 'go-away' && resolve(message));
  channel.send({ type: 'session-open', session: 1 });
});
// readme: end

it('the example of the README does what it says', async () => {
  expect(await answer).toEqual({ type: 'go-away', reason: 'just looking' });
  link.close(1000, 'done');
  await listener.close();
});

it('and is the one that is printed there', () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
  const here = /\/\/ readme: begin\n([^]*?)\/\/ readme: end/.exec(read('readme.test.ts'))?.[1] ?? '';
  const printed = /```ts\n([^]*?)```/.exec(read('../README.md'))?.[1] ?? '';
  const tidy = (code: string): string => code.replaceAll(/\s+/g, ' ').trim();
  expect(tidy(printed.replaceAll("'@muster/rexi'", "'./index.ts'"))).toBe(tidy(here));
});
