// A program that waits for one thing at its top level, and says so: how it ends is up to what is under way.
import { connect } from '@muster/coordinator';
import { closeSync, openSync } from 'node:fs';

const [what, secret, ...nodes] = process.argv.slice(2);

/** Opens files until there can be no more. */
function exhaust() {
  const files = [];
  try {
    for (;;) files.push(openSync('/dev/null'));
  } catch {
    return () => files.forEach((file) => closeSync(file));
  }
}

if (what === 'no more files') {
  const release = exhaust();
  const error = await connect({ nodes, secret }).catch((failed) => failed);
  release();
  console.log(error.name, error.code, error.message);
  process.exit(0);
}

if (what === 'a refusal') {
  const error = await connect({ nodes, secret: 'short' }).catch((failed) => failed);
  console.log(error.code);
}

const cluster = what === 'a refusal' ? undefined : await connect({ nodes, secret });
const nap = { ms: 1_500 };
const waits = {
  whenUp: () => cluster.whenUp(nodes.length),
  call: () => cluster.call('nap', nap),
  stream: () => cluster.stream('naps', nap).toArray(),
  scatter: () => cluster.scatter('nap', nap).toArray(),
  reduce: () => cluster.reduce('nap', nap, { initial: '', reduce: (all, said) => all + said }),
  get: async () => {
    const key = await cluster.call('nap', { ms: 1 }, { result: 'key' });
    return Promise.all(Array.from({ length: 50 }, () => key.get()));
  },
  request: () => cluster.request(cluster.nodes()[0].id, 'ping'),
  close: () => cluster.close(),
  nothing: () => undefined,
  'a refusal': () => undefined,
};
await waits[what]();
console.log(`after ${what}`);
