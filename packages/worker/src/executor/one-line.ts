/** Longest line about one event, in characters. */
const longest = 4_096;

const named: ReadonlyMap<string, string> = new Map([
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
]);

/**
 * A text for people as one line of a log: what comes from outside can neither begin a line of its own nor steer a
 * terminal. Control characters, line separators and marks of direction are written as their escapes.
 */
export function oneLine(text: string): string {
  return escaped(text.slice(0, longest));
}

/** The same, however long it is. What is escaped so in JSON means what it was. */
export function escaped(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, escape);
}

function escape(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(4, '0');
  return named.get(character) ?? `\\u${code}`;
}
