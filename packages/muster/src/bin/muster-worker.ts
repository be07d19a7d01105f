#!/usr/bin/env node
/** The worker's own command, under the package that users install. */
const worker: string = import.meta.resolve('@muster/worker');
await import(new URL('./bin/muster-worker.js', worker).href);
