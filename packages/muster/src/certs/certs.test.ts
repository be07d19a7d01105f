import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { certs as command } from './command.ts';
import type { Terminal } from '../commands/command.ts';
import { readOptions } from './options.ts';

const day = 86_400_000;

describe('muster certs', () => {
  let dir = '';
  let said: string[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'muster-certs-'));
    said = [];
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
    rmSync(dir, { recursive: true });
  });

  const certs = (argv: readonly string[]): Promise<number> =>
    command.run(argv, { out: (text: string) => void said.push(text) } as unknown as Terminal);
  const read = (name: string): X509Certificate => new X509Certificate(readFileSync(join(dir, name)));
  const subjectOf = (name: string): unknown => ({ ...(read(name).toLegacyObject().subject as object) });

  it('makes an authority, and certificates of it whose subjects carry id and role', async () => {
    expect(await certs([dir, '--node', 'a', '--coordinator', 'c', '--operator', 'o', '--observer', 'v'])).toBe(0);
    const authority = read('ca.pem');
    for (const [name, role] of Object.entries({ a: 'worker', c: 'coordinator', o: 'operator', v: 'observer' })) {
      expect(subjectOf(`${name}.pem`)).toEqual({ CN: name, OU: role });
      expect(read(`${name}.pem`).checkIssued(authority)).toBe(true);
      expect(read(`${name}.pem`).verify(authority.publicKey)).toBe(true);
      expect(statSync(join(dir, `${name}.key`)).mode & 0o777).toBe(0o600);
    }
    expect([authority.ca, read('a.pem').ca]).toEqual([true, false]);
    expect(read('a.pem').subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  });

  it('says until when, which is so many days from now, and never longer than the authority itself', async () => {
    await certs([dir, '--days', '7', '--node', 'a']);
    const left = (name: string): number => (Date.parse(read(name).validTo) - Date.now()) / day;
    expect(left('a.pem')).toBeCloseTo(7, 2);
    expect(said.join('\n')).toContain(new Date(Date.now() + 7 * day).toISOString().slice(0, 10));
    await certs([dir, '--days', '3650', '--node', 'a']);
    expect(left('ca.pem')).toBeCloseTo(365, 2);
    expect(read('a.pem').validTo).toBe(read('ca.pem').validTo);
  });

  it('renews a certificate for the key that is there, so that its pin stays', async () => {
    await certs([dir, '--node', 'a']);
    const before = read('a.pem');
    await certs([dir, '--days', '90', '--node', 'a=node-a.internal,10.0.0.1']);
    const after = read('a.pem');
    expect(after.publicKey.equals(before.publicKey)).toBe(true);
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.subjectAltName).toBe('DNS:node-a.internal, IP Address:10.0.0.1');
    const pins = said.join('\n').match(/sha256\/\S+/g);
    expect(pins).toHaveLength(2);
    expect(pins?.[0]).toBe(pins?.[1]);
  });

  it('issues nothing by an authority that has expired, or of which a half is missing', async () => {
    await certs([dir]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 366 * day });
    await expect(certs([dir, '--node', 'a'])).rejects.toMatchObject({ code: 'bad_options' });
    rmSync(join(dir, 'ca.key'));
    await expect(certs([dir, '--node', 'a'])).rejects.toThrow('only one of ca.pem and ca.key');
  });

  it.each([
    [[], 'Name one directory'],
    [['x', 'y'], 'Name one directory'],
    [['x', '--days', '0'], '--days "0"'],
    [['x', '--days', '4000'], '--days "4000"'],
    [['x', '--node', '../a'], '--node "../a"'],
    [['x', '--node', '.a'], '--node ".a"'],
    [['x', '--coordinator', 'a=b'], '--coordinator "a=b"'],
    [['x', '--node', 'a=b:7101'], '"b:7101" is no host'],
    [['x', '--node', 'a='], '"" is no host'],
    [['x', '--node', 'a', '--coordinator', 'a'], 'one "a" only'],
    [['x', '--observer', 'ca'], 'one "ca" only'],
    [['x', '--nodes', 'a'], '--help lists the options'],
  ])('refuses %j', (argv, says) => {
    expect(() => readOptions(argv)).toThrow(expect.objectContaining({ code: 'bad_options' }));
    expect(() => readOptions(argv)).toThrow(says);
  });
});
