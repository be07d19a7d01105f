import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

/** Runs the models in `test/models` with the model checker Spin: each claim has to hold, and to fail without its rule. */
const model = fileURLToPath(new URL('../models/resumption.pml', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'muster-models-'));
afterAll(() => rmSync(dir, { recursive: true }));

const missing = ['spin', 'gcc'].filter((command) => spawnSync(command, ['-V']).error !== undefined);
// Where everything is installed first, what is missing is a failure.
const skipped = missing.length > 0 && process.env['CI'] === undefined;
if (skipped)
  console.warn(`The models are not checked: ${missing.join(' and ')} cannot be found; try apt install spin gcc.`);

/** Whether the claim holds in all states that the model can reach with these switches. */
function holds(claim: string, switches: readonly string[]): boolean {
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  run('spin', '-a', ...switches.map((one) => `-D${one}`), model);
  run('gcc', '-O1', '-w', '-DSAFETY', '-DCOLLAPSE', '-o', 'pan', 'pan.c');
  const said = run('./pan', '-N', claim, '-m200000');
  if (!/State-vector/.test(said) || /depth too small|out of memory/.test(said)) throw new Error(said);
  return /errors: 0\b/.test(said);
}

const claims = ['once', 'no_gap', 'clean', 'barred', 'all_of', 'goes_on'];

const without: readonly (readonly [claim: string, ...switches: string[]])[] = [
  ['goes_on', 'ANY_ORDER'],
  ['clean', 'NO_DESTROY'],
  ['once', 'NO_DESTROY', 'NO_NUMBERS'],
  ['clean', 'READ_LATER'],
  ['once', 'READ_LATER', 'NO_NUMBERS'],
  ['no_gap', 'FORGET'],
  ['once', 'FROM_ACK'],
  ['barred', 'FENCED_GOES', 'FENCE'],
  ['barred', 'EXPIRED_GOES', 'LEASE'],
  ['goes_on', 'NO_NEW', 'FENCE'],
];

describe.skipIf(skipped)('In the model of a session that moves from link to link', () => {
  it.each(claims)('%s holds, whatever is reset, fenced or runs out', (claim) => {
    expect(holds(claim, ['LEASE', 'FENCE'])).toBe(true);
  });

  const titled = without.map(([claim, ...switches]) => [claim, switches.join(' ')] as const);
  it.each(titled)('%s fails with %s', (claim, switches) => {
    expect(holds(claim, switches.split(' '))).toBe(false);
  });
});
