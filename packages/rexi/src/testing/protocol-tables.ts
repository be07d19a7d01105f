import { CloseCode } from '../close-code.ts';
import { defaults } from '../constants.ts';
import { codes } from '../errors.ts';
import type { Field } from '../message/layout.ts';
import { layouts } from '../message/layouts.ts';
import type { MessageType } from '../message/message.ts';
import type { Operation } from '../message/operations.ts';
import { operations } from '../message/operations.ts';

/** The sources whose comments say what the tables cannot: the text of each file. */
export interface Sources {
  readonly messages: string;
  readonly constants: string;
  readonly closeCodes: string;
}

/** The generated parts of the specification, by the name in their markers. */
export function protocolTables(sources: Sources): Record<string, string> {
  return {
    messages: messages(sources.messages),
    operations: operationTable(),
    constants: constants(sources.constants),
    'close-codes': closeCodes(sources.closeCodes),
    'exit-codes': exitCodes(),
  };
}

/**
 * The document with its generated parts made anew: what stands between `<!-- name: … -->` and `<!-- /name -->`.
 * Throws for a part that has no place.
 */
export function renew(document: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((text, [name, table]) => {
    const place = new RegExp(`(<!-- ${name}:[^>]*-->\n)[^]*?(<!-- /${name} -->)`);
    if (!place.test(text)) throw new Error(`The document has no place for "${name}".`);
    return text.replace(place, (_all, open: string, close: string) => `${open}\n${table}\n\n${close}`);
  }, document);
}

function messages(source: string): string {
  return (Object.keys(layouts) as MessageType[]).map((type) => message(type, source)).join('\n\n');
}

function message(type: MessageType, source: string): string {
  const { tag, lane, from, fields } = layouts[type];
  const { says, of } = interfaceOf(type, source);
  const rows = Object.entries(fields as Record<string, Field<unknown>>).map(
    ([name, field]) => `| \`${name}\` | ${field.says} | ${of(name)} |`,
  );
  const table =
    rows.length === 0 ? 'No fields.' : ['| field | on the wire | meaning |', '| --- | --- | --- |', ...rows].join('\n');
  const whom = from.length === 6 ? 'everybody' : from.join(', ');
  return `#### ${tag} \`${type}\`: ${lane}, from ${whom}\n\n${says}\n\n${table}`;
}

function operationTable(): string {
  const rows = Object.entries<Operation>(operations).map(([name, { from, changes, says, takes, answers }]) => {
    const effect = changes ? 'yes' : '';
    return `| \`${name}\` | ${from.join(', ')} | ${effect} | ${says} | ${takes} | ${answers} |`;
  });
  const head = ['name', 'from', 'changes', 'what', 'takes', 'answers'];
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows].join('\n');
}

/** What the comments say of a message and of its fields. */
function interfaceOf(type: MessageType, source: string): { says: string; of: (field: string) => string } {
  const found = /^\/\*\*((?:(?!\*\/)[^])*?)\*\/\nexport interface \w+ \{\n {2}readonly type: 'TYPE';\n([^]*?)^\}/m
    .source;
  const [, says, body = ''] = new RegExp(found.replace('TYPE', type), 'm').exec(source) ?? [];
  if (says === undefined) throw new Error(`The message "${type}" has no comment.`);
  return { says: prose(says), of: (field) => comment(body, `readonly ${field}\\??:`) };
}

/** The comment before a member; nothing when it has none. */
function comment(source: string, member: string): string {
  return prose(new RegExp(`/\\*\\*((?:(?!\\*/)[^])*?)\\*/\\s*${member}`).exec(source)?.[1] ?? '');
}

function prose(text: string): string {
  return text.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim();
}

function constants(source: string): string {
  const rows = Object.entries(defaults).map(
    ([name, value]) => `| \`${name}\` | ${value} | ${comment(source, `${name}:`)} |`,
  );
  return ['| name | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function closeCodes(source: string): string {
  const rows = Object.entries(CloseCode).map(
    ([name, code]) => `| ${code} | \`${name}\` | ${comment(source, `${name}:`)} |`,
  );
  return ['| code | name | said when |', '| --- | --- | --- |', ...rows].join('\n');
}

function exitCodes(): string {
  const rows = Object.entries(codes).map(
    ([code, { retryable, says }]) => `| \`${code}\` | ${says} | ${retryable ? 'yes' : 'no'} |`,
  );
  return ['| code | meaning | worth another try |', '| --- | --- | --- |', ...rows].join('\n');
}
