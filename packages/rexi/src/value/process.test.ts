import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import ts from 'typescript';

const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, rewriteRelativeImportExtensions: true };
let folder: string;

async function compile(from: string, to: string): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(from, 'utf8'), { compilerOptions: options });
  await writeFile(to, outputText);
}

/** What production is like: no code from strings, no `__proto__`, perhaps no native code. Only a process can be that. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'value-codec-'));
  const source = import.meta.dirname;
  await mkdir(join(folder, 'value'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const msgpackr = createRequire(import.meta.url).resolve('msgpackr');
  await symlink(msgpackr.slice(0, msgpackr.lastIndexOf('msgpackr')), join(folder, 'node_modules'));
  const files = (await readdir(source)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const name of files) await compile(join(source, name), join(folder, 'value', name.replace(/ts$/, 'js')));
  for (const name of ['errors', 'constants', 'close-code']) {
    await compile(join(source, '..', `${name}.ts`), join(folder, `${name}.js`));
  }
});

afterAll(() => rm(folder, { recursive: true }));

const script = `
  import assert from 'node:assert/strict';
  import { ValueCodec } from './value/index.js';
  const codec = new ValueCodec();
  const text = '\\ufeff' + 'é語😀'.repeat(40);
  const row = (n) => ({ n, 'a b': 'x'.repeat(n), text, deep: [{ n, constructor: n }], map: new Map([[n, { n: -0 }]]) });
  const rows = Array.from({ length: 200 }, (_, n) => row(n));
  const back = codec.unpackRows(codec.packRows(rows.map((one) => codec.snapshot(one))), 200);
  assert.deepStrictEqual(back, rows);
  assert.ok(codec.unpack(codec.pack(new TypeError('x'))) instanceof TypeError);
  assert.throws(() => codec.unpack(Buffer.of(0x10, 0xd4, 0x72, 0x40, 0x91, 0xa9, ...Buffer.from('__proto__'), 1)), { closeCode: 4004 });
  assert.throws(() => new Function('return 1'), EvalError);
  console.log('all well');
`;

test.each<[string, Record<string, string>]>([
  ['works where no code can be made from strings', {}],
  ['works without native code', { MSGPACKR_NATIVE_ACCELERATION_DISABLED: 'true' }],
])('%s', (_, env) => {
  const flags = ['--disallow-code-generation-from-strings', '--disable-proto=throw', '--input-type=module'];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', script], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toBe('all well\n');
});
