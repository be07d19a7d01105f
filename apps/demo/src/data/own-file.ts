import { basename } from 'node:path';
import type { Options } from '../options.ts';
import { UsageError } from '../usage-error.ts';
import type { DataSet, Near, Prefix } from './data-set.ts';
import { checkFile, readNdjson } from './ndjson.ts';
import type { Row } from './row.ts';
import { numberIn, textIn } from './row.ts';

/** The user's own file; what is not said is taken from its first row. @throws UsageError */
export async function readOwnFile(file: string, options: Options): Promise<DataSet> {
  await checkFile(file);
  const { key } = options;
  if (key === undefined) throw new UsageError(`--data ${file} needs --key FIELD: the field that names a row.`);
  const rows = await readNdjson(file, key);
  const [first = {}] = rows;
  const near = nearOf(options.near, key, rows);
  const group = options.group ?? usualGroup(rows, key);
  const prefix = prefixOf(options.prefix, key, first);
  for (const [option, field] of [
    ['--group', group],
    ['--prefix', prefix.field],
  ] as const)
    checkField(rows, option, field);
  const asked = [key, group, prefix.field, ...(near?.measure.by === 'value' ? [near.measure.field] : [])];
  const columns = [...new Set([...asked, ...Object.keys(first)])].slice(0, 5);
  return {
    what: `rows of ${basename(file)}`,
    rows,
    key,
    near,
    group: { field: group, sum: undefined },
    prefix,
    columns,
  };
}

/** `NUMBER` is one in the key, `FIELD=NUMBER` in another field; the first row tells where nothing is said. */
export function nearOf(text: string | undefined, key: string, rows: readonly Row[]): Near | undefined {
  if (text === undefined) {
    const [first = {}] = rows;
    const field = [key, ...Object.keys(first)].find((name) => numberIn(first, name) !== undefined);
    return field === undefined ? undefined : along(field, numberIn(first, field) ?? 0);
  }
  const { field, value } = assignment(text, key);
  if (value.trim() === '' || !Number.isFinite(Number(value))) {
    throw new UsageError(`--near takes a number or FIELD=NUMBER, not "${text}"; ${numbersIn(rows)}.`);
  }
  if (!rows.some((row) => numberIn(row, field) !== undefined)) {
    throw new UsageError(`--near: no row has a number in the field "${field}"; ${numbersIn(rows)}.`);
  }
  return along(field, Number(value));
}

/** Where a number to be near to could be looked for. */
function numbersIn(rows: readonly Row[]): string {
  const fields = fieldsOf(rows).filter((name) => rows.some((row) => numberIn(row, name) !== undefined));
  return fields.length === 0 ? 'there is no number in any field' : `there are numbers in ${fields.join(', ')}`;
}

/** Fields of the first rows, which have what is worth naming. */
function fieldsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.slice(0, 100).flatMap((row) => Object.keys(row)))];
}

/** `TEXT` starts the key, `FIELD=TEXT` another field; where nothing is said, what the first row's key starts with. */
export function prefixOf(text: string | undefined, key: string, first: Row): Prefix {
  if (text === undefined) return { field: key, text: textIn(first, key).slice(0, 1) };
  const { field, value } = assignment(text, key);
  return { field, text: value };
}

function along(field: string, value: number): Near {
  return { place: `${field} ${value}`, unit: 'difference', measure: { by: 'value', field, value } };
}

function assignment(text: string, key: string): { readonly field: string; readonly value: string } {
  const at = text.indexOf('=');
  return at < 0 ? { field: key, value: text } : { field: text.slice(0, at), value: text.slice(at + 1) };
}

/** The text that repeats most, and is not the key. */
export function usualGroup(rows: readonly Row[], key: string): string {
  const [first = {}] = rows;
  const texts = Object.keys(first).filter((name) => name !== key && typeof first[name] === 'string');
  const sizes = texts.map((name) => ({ name, size: new Set(rows.map((row) => textIn(row, name))).size }));
  return sizes.sort((a, b) => a.size - b.size)[0]?.name ?? key;
}

function checkField(rows: readonly Row[], option: string, field: string): void {
  if (!rows.some((row) => Object.hasOwn(row, field)))
    throw new UsageError(`${option}: no row has a field "${field}"; there are ${fieldsOf(rows).join(', ')}.`);
}
