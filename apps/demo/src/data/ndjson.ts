import { constants, createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { UsageError } from '../usage-error.ts';
import type { Row } from './row.ts';

/**
 * Reads a file of one JSON object a line; blank lines are skipped.
 * @throws UsageError for a file that cannot be read, and for a line that is no object or lacks the key, with its number.
 */
export async function readNdjson(file: string, key: string): Promise<Row[]> {
  const rows: Row[] = [];
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      number += 1;
      if (line.trim() !== '') rows.push(rowOf(line, key, `${file}, line ${number}`));
    }
  } catch (error) {
    throw error instanceof UsageError ? error : unreadable(file, error);
  }
  if (rows.length === 0) throw new UsageError(`${file} has no rows.`);
  return rows;
}

/** @throws UsageError for a file that is not there or cannot be read. */
export async function checkFile(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** @throws UsageError that says where, and what is wrong there. */
export function rowOf(line: string, key: string, where: string): Row {
  const value = parse(line.replace(/^\uFEFF/, ''), where);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${where}: this is no JSON object, but ${nameOf(value)}.`);
  }
  const row = value as Row;
  const name = Object.hasOwn(row, key) ? row[key] : undefined;
  if (typeof name === 'string' || typeof name === 'number') return row;
  const has = name === undefined ? `has no field "${key}"` : `has ${nameOf(name)} as its "${key}"`;
  throw new UsageError(`${where}: the row ${has}; --key names a field with a text or a number in every row.`);
}

function parse(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UsageError(`${where}: this is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

function unreadable(file: string, error: unknown): UsageError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new UsageError(`There is no file ${file}.`);
  if (code === 'EISDIR')
    return new UsageError(`${file} is a directory; --data takes a file with one JSON object a line.`);
  return new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
