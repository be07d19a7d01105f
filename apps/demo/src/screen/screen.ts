import { styleText } from 'node:util';
import { count } from './words.ts';

/** Colours where somebody looks; the same lines without them in a log. Nothing ever moves the cursor. */
const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

function paint(style: 'bold' | 'dim' | 'cyan' | 'red', text: string): string {
  return colours ? styleText(style, text) : text;
}

/** A heading with an empty line before it. */
export function title(text: string): void {
  console.log(`\n${paint('bold', text)}`);
}

/** One line of progress, or of what was found. */
export function say(text: string): void {
  console.log(text === '' ? '' : `   ${text}`);
}

/** Something that explains, and is not needed. */
export function aside(text: string): void {
  console.log(`   ${paint('dim', text)}`);
}

/** A table's lines, its heading apart. */
export function show([head = '', ...lines]: readonly string[]): void {
  console.log(`\n   ${paint('cyan', head)}`);
  for (const line of lines) console.log(`   ${line}`);
  console.log('');
}

/** To the error stream. */
export function complain(text: string): void {
  console.error(process.stderr.isTTY && colours ? styleText('red', text) : text);
}

/** `1 row`, `2 rows`. */
export function many(number: number, singular: string, plural: string = `${singular}s`): string {
  return `${count(number)} ${number === 1 ? singular : plural}`;
}
