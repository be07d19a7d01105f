/**
 * A `muster-worker` that ends with the process that has started it: one that was killed can end nobody, and cannot tidy
 * up. The last of its nodes to go removes the directory that all of them are in.
 *
 *     node node-main.js --data-dir DIR/NAME …
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';

const dataDir = process.argv[process.argv.indexOf('--data-dir') + 1] ?? '';

function end(): void {
  // The last node to go finds nobody in the directory who would still write there.
  process.on('exit', () => rmSync(dirname(dataDir), { recursive: true, force: true, maxRetries: 3 }));
  // Not as a signal: before the node listens for those, one would end it without the above.
  const drains = process.emit('SIGTERM');
  if (!drains) process.exit(1);
  process.emit('SIGTERM'); // ends at once
}

if (process.connected) {
  process.on('disconnect', end);
  await import('../bin/muster-worker.ts');
} else end();
