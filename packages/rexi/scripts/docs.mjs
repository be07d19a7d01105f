// Writes the generated parts of PROTOCOL.md anew: `npm run docs -w @muster/rexi`. With `--check` it only says whether they are
// up to date. What makes the tables is no part of the package, so it is run from its source.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => readFileSync(at(path), 'utf8');

const { module } = await runnerImport(at('src/testing/protocol-tables.ts'), { configFile: false, logLevel: 'error' });
const tables = module.protocolTables({
  messages: read('src/message/message.ts'),
  constants: read('src/constants.ts'),
  closeCodes: read('src/close-code.ts'),
});
const document = read('PROTOCOL.md');
const renewed = module.renew(document, tables);
if (!process.argv.includes('--check')) writeFileSync(at('PROTOCOL.md'), renewed);
else if (renewed !== document) {
  process.stderr.write('PROTOCOL.md is not what the code says; run: npm run docs -w @muster/rexi\n');
  process.exitCode = 1;
}
