import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { spoken } from './message/testing/spoken.ts';
import { protocolTables, renew } from './testing/protocol-tables.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const document = read('PROTOCOL.md');
const tables = protocolTables({
  messages: read('src/message/message.ts'),
  constants: read('src/constants.ts'),
  closeCodes: read('src/close-code.ts'),
});

describe('PROTOCOL.md', () => {
  it.each(Object.keys(tables))('is up to date in its part "%s" (else: npm run docs -w @muster/rexi)', (name) => {
    expect(renew(document, { [name]: tables[name] ?? '' })).toBe(document);
  });

  it('says what every message, constant and close code is for', () => {
    for (const { type } of spoken) expect(tables['messages']).toContain(`\`${type}\`: `);
    for (const name of ['constants', 'close-codes', 'exit-codes']) expect(tables[name]).not.toMatch(/\|\s*\|$/m);
  });

  it('has all nineteen rules', () => {
    const rules = [...document.matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number));
    expect(rules).toEqual(Array.from({ length: 19 }, (_, index) => index + 1));
  });
});
