import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './pages.ts';

interface Manifest {
  readonly types?: string;
  readonly exports?: Readonly<Record<string, { readonly types?: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * What the declarations that a package shows name and its users do not get with it: `file: module`. Modules of Node are
 * those of `@types/node`.
 */
export function missingTypes(name: string): string[] {
  const folder = join(root, 'packages', name);
  const { exports = {}, dependencies = {} } = manifest(folder);
  const open = Object.entries(exports).flatMap(([path, { types }]) =>
    types === undefined || path === './testing' ? [] : [join(folder, types)],
  );
  const seen = new Set(open);
  const missing: string[] = [];
  for (const file of open) {
    for (const [, module = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'([\w@.:/-]+)'/g)) {
      if (module.startsWith('.')) {
        const next = join(dirname(file), module.replace(/\.[jt]s$/, '.d.ts'));
        if (!seen.has(next)) open.push(next);
        seen.add(next);
      } else if (!module.startsWith('node:') && !(nameOf(module) in dependencies && hasTypes(nameOf(module)))) {
        missing.push(`${file.slice(folder.length + 1)}: ${module}`);
      }
    }
  }
  return missing;
}

/** The package that a module is of. */
function nameOf(module: string): string {
  return module.split('/', module.startsWith('@') ? 2 : 1).join('/');
}

function hasTypes(name: string): boolean {
  const { types, exports = {} } = manifest(join(root, 'node_modules', name));
  return types !== undefined || exports['.']?.types !== undefined;
}

function manifest(folder: string): Manifest {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return {};
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}
