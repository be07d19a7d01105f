import { readFileSync } from 'node:fs';
import { spoken } from '../message/testing/spoken.ts';
import type { Message } from '../message/message.ts';

/** One vector of a golden file: a line that begins with `@`, perhaps a line of JSON, and bytes in hexadecimal. */
export interface Vector {
  readonly title: string;
  readonly json: unknown;
  /** Its byte strings; a line of dashes is between them. */
  readonly bytes: readonly Buffer[];
}

const folder = new URL('../../test/golden/', import.meta.url);

/** The text of a golden file. */
export function golden(file: string): string {
  return readFileSync(new URL(file, folder), 'utf8');
}

/** The vectors of a golden file: `#` begins a comment, and spaces between bytes mean nothing. */
export function vectors(file: string): Vector[] {
  return golden(file).split(/^@ /m).slice(1).map(vector);
}

function vector(block: string): Vector {
  const [title = '', ...lines] = block.split('\n');
  const json = lines[0]?.startsWith('{') ? (JSON.parse(lines.shift() as string) as unknown) : undefined;
  const hex = lines.map((line) => line.replace(/#.*/, '').replaceAll(/\s/g, ''));
  return {
    title,
    json,
    bytes: hex
      .join('\n')
      .split('--')
      .map((text) => Buffer.from(text.replaceAll('\n', ''), 'hex')),
  };
}

/** A message as the golden files write it: bytes as `{"hex": "…"}`. */
export function messageOf(json: unknown): Message {
  return JSON.parse(JSON.stringify(json), (_name, value: unknown) => {
    const { hex } = (value ?? {}) as { hex?: unknown };
    return typeof hex === 'string' ? Buffer.from(hex, 'hex') : value;
  }) as Message;
}

/** The types of all messages that there are. */
export const messageTypes: readonly string[] = spoken.map(({ type }) => type);
