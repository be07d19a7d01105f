// @ts-check
// Loaded in front of a process that is to be profiled: SIGUSR2 starts its profiler, the next one writes what it has
// seen. Executors are ended by a signal that no code sees, which is why `--cpu-prof` would lose their profiles.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

const directory = new URL(import.meta.url).searchParams.get('dir') ?? '.';
const session = new Session();
let on = false;

process.on('SIGUSR2', () => {
  on = !on;
  if (on) start();
  else stop();
});

function start() {
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 250 });
  session.post('Profiler.start');
}

function stop() {
  session.post('Profiler.stop', (_error, { profile }) => {
    writeFileSync(join(directory, `${process.pid}.cpuprofile`), JSON.stringify(profile));
    session.disconnect();
  });
}
