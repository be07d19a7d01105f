/**
 * A `muster-worker` that ends with the demo: one that was killed can end nobody, and cannot tidy up.
 *
 *     node node-main.js --data-dir DIR/NAME …
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';

const dataDir = process.argv[process.argv.indexOf('--data-dir') + 1] ?? '';

process.on('disconnect', () => {
  // The last node to go finds nobody in the directory who would still write there.
  process.on('exit', () => rmSync(dirname(dataDir), { recursive: true, force: true, maxRetries: 3 }));
  process.kill(process.pid, 'SIGTERM'); // drains
  process.kill(process.pid, 'SIGTERM'); // ends at once
});
await import('muster/muster-worker');
