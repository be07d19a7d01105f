import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { TlsOptions } from '@muster/rexi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from './harness/child.ts';
import { beating, deathsAfter, quiet } from './harness/evidence.ts';
import { guardiansIn, Lab } from './harness/lab.ts';
import { failureOf, until, within } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

const command = fileURLToPath(new URL('../../packages/muster/dist/bin/muster.js', import.meta.url));
const lab = new Lab();
const dir = join(lab.dir, 'certs');
afterAll(() => lab.close());

async function muster(...args: string[]): Promise<Child> {
  const options = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], env: lab.env };
  const child = new Child(spawn(process.execPath, [command, ...args], options));
  await within(`muster ${args[0]} has ended`, 10_000, child.ended);
  return child;
}

async function certs(...args: string[]): Promise<string> {
  const { ending, output, errors } = await muster('certs', ...args);
  if (ending?.code !== 0) throw new Error(errors);
  return output;
}

const files = (id: string, from = dir): TlsOptions => ({
  ca: join(from, 'ca.pem'),
  cert: join(from, `${id}.pem`),
  key: join(from, `${id}.key`),
});
const tls = files('coordinator');

function options(id: string, { ca, cert, key } = files(id)): { args: string[] } {
  return { args: ['--tls-ca', ca, '--tls-cert', cert, '--tls-key', key] };
}

/** The serial number of the certificate that a node shows to new connections. */
function serialAt({ port }: Worker): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', reject);
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber);
      socket.destroy();
    });
  });
}

describe('A cluster over wss', () => {
  let nodes: Worker[] = [];
  beforeAll(async () => {
    await certs(dir, '--days', '2', '--node', 'a', '--node', 'b', '--coordinator', 'coordinator', '--observer', 'o');
    nodes = await Promise.all(['a', 'b'].map((id) => lab.node(id, options(id))));
  });
  const addresses = (): string[] => nodes.map(({ address }) => address);

  it('is looked into by an observer with a certificate for that, who is nobody else', async () => {
    const looking = (id: string, command: string): Promise<Child> =>
      muster(command, '--nodes', addresses().join(','), '--secret', lab.secretFile, ...options(id).args, '--json');
    const seen = await looking('o', 'nodes');
    expect([seen.ending?.code, seen.output.match(/"node": "[ab]"/g)?.length]).toEqual([0, 2]);
    const refused = await looking('coordinator', 'nodes');
    expect([refused.ending?.code, refused.errors]).toEqual([
      1,
      expect.stringMatching(/certificate is for coordinator "coordinator", and this is observer/),
    ]);
  });

  it('leaves nothing of a coordinator that was killed: its guardian fences over TLS', async () => {
    const coordinator = lab.coordinator();
    const incarnation = await coordinator.connect({ ...lab.options(addresses()), tls });
    const beat = lab.beat();
    for (const job of ['spin', 'fork', 'tick'])
      await coordinator.begin(job, 'scatter', job, { beat }, { over: 'nodes' });
    await beating(beat, 8);
    const [guardian] = guardiansIn(lab);
    const words =
      readFileSync(`/proc/${guardian}/cmdline`, 'latin1') + readFileSync(`/proc/${guardian}/environ`, 'latin1');
    expect(words).not.toContain('.pem');
    const died = coordinator.signal('SIGKILL');
    await deathsAfter(died, 1_000, { workers: nodes, incarnation, beat });
    const ends = nodes.map((node) => node.lines('session-ended').find((line) => line['incarnation'] === incarnation));
    expect(ends.map((line) => line?.['by'])).toEqual(['fence', 'fence']);
    await until('the guardian has gone', () => guardiansIn(lab).length === 0);
    await quiet(lab);
  });

  it('calls, streams, and fetches an object from node to node', async () => {
    expect(addresses().every((address) => address.startsWith('wss://'))).toBe(true);
    const cluster = await lab.cluster(addresses(), { tls });
    expect(await cluster.call('add', { a: 1, b: 2 })).toBe(3);
    let rows = 0;
    for await (const _row of cluster.stream('count', { n: 5_000, size: 100 })) rows += 1;
    expect(rows).toBe(5_000);
    const ref = await cluster.call('bytes', { count: 3_000_000 }, { node: 'a', result: 'key' });
    expect(await cluster.call('fetched', { ref }, { node: 'b' })).toBe(3_000_000);
    await cluster.close();
  });

  it('takes new certificates at SIGHUP, while its sessions and streams go on', async () => {
    const cluster = await lab.cluster(addresses(), { tls });
    const rows = cluster.stream('tick', { beat: lab.beat(), every: 1 }, { node: 'a' })[Symbol.asyncIterator]();
    await rows.next();
    const [a] = nodes as [Worker];
    const before = await serialAt(a);
    await certs(dir, '--days', '3', '--node', 'a', '--coordinator', 'coordinator');
    expect(await serialAt(a)).toBe(before);
    a.signal('SIGHUP');
    await until('it has read them', () => a.lines('tls-reloaded').length === 1);
    expect(await serialAt(a)).not.toBe(before);
    for (let i = 0; i < 300; i += 1) expect((await rows.next()).done).toBe(false);
    expect(a.lines('session-ended').filter((line) => line['incarnation'] === cluster.incarnation)).toEqual([]);
    const later = await lab.cluster(addresses(), { tls });
    expect(await later.call('add', { a: 1, b: 2 }, { node: 'a' })).toBe(3);
    await later.close();
    await cluster.close();
  });

  it('goes on with the certificates that it has when the new ones cannot be used, and says why', async () => {
    const [a] = nodes as [Worker];
    const { cert } = files('a');
    const good = readFileSync(cert);
    writeFileSync(cert, readFileSync(files('b').cert));
    a.signal('SIGHUP');
    await until('it says so', () => a.errors.includes('--tls-'));
    expect(a.errors).toMatch(/--tls-key: .*one pair.* The certificates from before go on/);
    expect(a.ending).toBeUndefined();
    const cluster = await lab.cluster(addresses(), { tls });
    await cluster.close();
    writeFileSync(cert, good);
  });

  it('keeps out whoever has certificates of another authority, or none, with a sentence', async () => {
    const other = join(lab.dir, 'other');
    await certs(other, '--node', 'c', '--coordinator', 'coordinator');
    const foreign = { ...files('coordinator', other), ca: tls.ca };
    const refused = await failureOf(lab.cluster(addresses(), { tls: foreign }));
    expect(refused).toMatchObject({ code: 'unauthorized' });
    expect(refused.message).toContain('use one of the authority that this node trusts');
    const misled = await failureOf(lab.cluster(addresses(), { tls: files('coordinator', other) }));
    expect(misled).toMatchObject({ code: 'unauthorized' });
    expect(misled.message).toContain('of another authority than `ca`');
    const plain = addresses().map((address) => address.replace('wss:', 'ws:'));
    expect(await failureOf(lab.cluster(plain))).toMatchObject({ code: 'unreachable' });
    const named = await failureOf(lab.cluster(addresses(), { tls, id: 'somebody' }));
    expect(named.message).toContain('for coordinator "coordinator", and this is coordinator "somebody"');
  });

  it('has no node that shows the certificate of another one', async () => {
    const node = lab.launch('x', options('b'));
    expect(await within('it has ended', 10_000, node.ended)).toMatchObject({ code: 2 });
    expect(node.errors).toContain('--tls-cert: The certificate is for worker "b", and this is worker "x"');
  });
});
