// Writes docs/reference from the code: `node scripts/docs.mjs`. With `--check` it only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { codes, defaults } from '../packages/rexi/dist/index.js';
import { storeCodes } from '../packages/store/dist/index.js';
import { commands, usage as musterUsage } from '../packages/muster/dist/commands/main.js';
import { usage } from '../packages/worker/dist/bin/options.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The doc comment above each property of an object literal in a source file, by name. A comment serves its followers too. */
function comments(file) {
  const found = new Map();
  let comment = '';
  for (const line of readFileSync(`${root}${file}`, 'utf8').split('\n')) {
    const said = /^\s*\/\*\* (.*) \*\/$/.exec(line)?.[1];
    if (said !== undefined) comment = said;
    const name = /^ {2}(\w+): [\d_]+,$/.exec(line)?.[1];
    if (name !== undefined) found.set(name, comment);
  }
  return found;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function errors() {
  const cluster = Object.entries(codes).map(([code, { retryable, says }]) => [
    `\`${code}\``,
    says,
    retryable ? 'yes' : '',
  ]);
  const store = Object.entries(storeCodes).map(([code, { says, todo }]) => [`\`${code}\``, says, todo]);
  return `# Errors

Generated from the code; \`node scripts/docs.mjs\` writes it anew.

## ClusterError

Every failure of the cluster has a \`code\` from this list. \`job\`, \`node\`, \`shard\` and \`ref\` say what it is about as far
as that is known, \`trace\` what it was done for, \`detail\` says who, which or what, and \`cause\` keeps the original. \`retryable\` means that another node, or
the same one later, may well succeed. What a job threw is a \`JobError\` (code \`job_failed\`) with the user's error, rebuilt,
as its \`cause\`. A scatter that cannot be answered in full throws a \`ScatterError\` (code \`incomplete\`) with its \`parts\`;
it is retryable when the errors of all of them are.

${table(['code', 'meaning', 'retryable'], cluster)}

## StoreError

${table(['code', 'meaning', 'what to do'], store)}
`;
}

function options() {
  const said = comments('packages/rexi/src/constants.ts');
  const rows = Object.entries(defaults).map(([name, value]) => [
    `\`${name}\``,
    value.toLocaleString('en'),
    said.get(name) ?? '',
  ]);
  return `# Constants and options

Generated from the code; \`node scripts/docs.mjs\` writes it anew.

## Constants

Times are milliseconds, sizes bytes. A coordinator sets them with \`connect({ constants: { lease: 2000 } })\`, a node with
\`--set lease=2000\`. The lease that holds is the node's; the coordinator is told it when its session is accepted.

${table(['name', 'default', 'meaning'], rows)}

## muster-worker

\`\`\`
${usage}
\`\`\`

## muster

\`\`\`
${[musterUsage, ...Object.values(commands).map((command) => command.usage)].join('\n\n')}
\`\`\`
`;
}

const pages = { 'docs/reference/errors.md': errors(), 'docs/reference/options.md': options() };
const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(pages)) {
  if (!check) writeFileSync(root + path, text);
  else if (readFileSync(root + path, 'utf8') !== text) {
    console.error(`${path} is not what the code says; run: node scripts/docs.mjs`);
    process.exitCode = 1;
  }
}
