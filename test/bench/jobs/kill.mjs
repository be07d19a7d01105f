// @ts-check
import { job } from '@muster/worker';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Says which process it is, waits until all others are there too, and computes for ever. */
export const spin = job({
  isolation: 'exclusive',
  run: async (/** @type {{ gate: string }} */ { gate }, ctx) => {
    ctx.log('here', { pid: process.pid });
    while (!existsSync(gate)) await sleep(50);
    for (;;);
  },
});

export async function* stream() {
  for (let id = 0; ; id += 1) yield { id, text: 'x'.repeat(72) };
}
