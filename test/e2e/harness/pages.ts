import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What users read, as paths from the root. */
export const pages: readonly string[] = [
  '',
  'docs/guides',
  'docs/reference',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`),
].flatMap((dir) => readdirSync(join(root, dir)).flatMap((name) => (name.endsWith('.md') ? [join(dir, name)] : [])));

/** A fenced block, as a page has it. */
export interface Block {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** `ts`, `js`, `sh`, …; empty: a drawing. */
  readonly language: string;
  /** The second word after the fence: which file of the page it is, or goes on with. */
  readonly file: string;
  readonly code: readonly string[];
}

export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

export function blocksOf(page: string): Block[] {
  const lines = readPage(page).split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, language = '', file = ''] = /^\s*```(\w*) ?(.*)$/.exec(lines[at] ?? '') ?? [];
    if (!/^\s*```/.test(lines[at] ?? '')) continue;
    const end = lines.findIndex((line, i) => i > at && /^\s*```\s*$/.test(line));
    blocks.push({ page, line: at + 2, language, file, code: lines.slice(at + 1, end) });
    at = end;
  }
  return blocks;
}

export function isCode({ language }: Block): boolean {
  return /^([cm]?[jt]sx?|javascript|typescript)$/.test(language);
}

export function isNamed({ file }: Block): boolean {
  return /^[\w.-]+\.m?[jt]s$/.test(file);
}

/**
 * The pages' code as files that a user has: a directory for each page, and the `tsconfig.json` that a page tells to use.
 * Blocks of a page that name the same file are that file, in order, each on the lines that it has in the page: what the
 * compiler says of line 31 is about line 31 of the page.
 */
export class Printed {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir);
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    const blocks = pages.flatMap(blocksOf);
    const config = blocks.find(({ file }) => file === 'tsconfig.json');
    writeFileSync(join(dir, 'tsconfig.json'), config?.code.join('\n') ?? '');
    const files = new Map<string, Block[]>();
    for (const block of blocks.filter((one) => isCode(one) && isNamed(one))) {
      const path = join(folder(block.page), block.file);
      files.set(path, [...(files.get(path) ?? []), block]);
    }
    for (const [path, own] of files) {
      const source = join(dir, 'src', path);
      mkdirSync(dirname(source), { recursive: true });
      writeFileSync(source, onTheirLines(own));
    }
  }

  /** What the project's compiler says of them; empty when all is well. Compiles them, too. */
  compile(): string {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', this.#dir, '--allowJs', '--pretty', 'false'], {
      encoding: 'utf8',
      cwd: this.#dir,
    });
    return stdout;
  }

  /** A compiled file. */
  path(page: string, file: string): string {
    return join(this.#dir, 'dist', folder(page), file);
  }
}

/** Links of a page to other files, and where they do not lead. */
export function brokenLinks(page: string): string[] {
  const targets = [...readPage(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
  return targets.flatMap(([, path = '', anchor]) => {
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, target))) return [`${page}: ${path}`];
    return anchor === undefined || anchors(target).includes(anchor) ? [] : [`${page}: ${path}#${anchor}`];
  });
}

/** As GitHub makes them of headings. */
function anchors(page: string): string[] {
  return Array.from(readPage(page).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function folder(page: string): string {
  return page.replace(/\.md$/, '').replaceAll('/', '-');
}

function onTheirLines(blocks: readonly Block[]): string {
  const lines: string[] = [];
  for (const { line, code } of blocks) {
    while (lines.length < line - 1) lines.push('');
    lines.push(...code);
  }
  return `${lines.join('\n')}\n`;
}
