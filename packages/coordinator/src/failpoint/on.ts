/* oxlint-disable no-restricted-globals -- only loaded under the export condition of test builds */
import { writeSync } from 'node:fs';
import type { Failpoint } from './off.ts';

/**
 * Read from `MUSTER_FAILPOINT=name` or `name:count`: at the count-th passing (1 by default) the process says so on its
 * standard error and kills itself with SIGKILL, as a crash would.
 */
const [wanted, count = '1'] = (process.env['MUSTER_FAILPOINT'] ?? '').split(':');
let left = Number(count);

export function failpoint(name: Failpoint): void {
  if (name !== wanted) return;
  left -= 1;
  if (left !== 0) return;
  writeSync(2, `failpoint ${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}
