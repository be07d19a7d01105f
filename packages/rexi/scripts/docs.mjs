// Writes the generated parts of PROTOCOL.md anew: `npm run docs -w @muster/rexi`.
import { readFileSync, writeFileSync } from 'node:fs';
import { protocolTables, renew } from '../dist/testing/protocol-tables.js';

const at = (path) => new URL(`../${path}`, import.meta.url);
const read = (path) => readFileSync(at(path), 'utf8');

const tables = protocolTables({
  messages: read('src/message/message.ts'),
  constants: read('src/constants.ts'),
  closeCodes: read('src/close-code.ts'),
});
writeFileSync(at('PROTOCOL.md'), renew(read('PROTOCOL.md'), tables));
