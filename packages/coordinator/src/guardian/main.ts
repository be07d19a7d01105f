/* oxlint-disable no-restricted-globals -- this is the guardian's process */
import { systemClock as clock, systemEntropy as entropy, wsTransport } from '@muster/rexi';
import { Guardian } from './guardian.ts';
import type { Begin, ToGuardian } from './pipe.ts';
import { lineReader, toLine } from './pipe.ts';

/*
 * The guardian: one small process per incarnation of a coordinator, in a session of its own. It outlives whatever kills
 * the coordinator and its terminal, and ends by itself as soon as nothing is left to guard.
 */

let guardian: Guardian | undefined;

function begin(message: Begin): Guardian {
  return new Guardian({
    begin: message,
    clock,
    entropy,
    transport: wsTransport({ clock, entropy, tls: message.tls }),
    say: (line) => void process.stdout.write(toLine(line)),
    exit: (code) => process.exit(code),
  });
}

// The clock's timers keep no process alive; this one has to live on while it waits to dial again.
setInterval(() => undefined, 2 ** 30);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
const ended = (): void => (guardian === undefined ? process.exit(0) : guardian.pipeEnded());
// A coordinator that is gone does not read what is said to it; EPIPE tells the same as the end of standard input.
process.stdout.on('error', ended);
process.stdin.on(
  'data',
  lineReader<ToGuardian>((message) => {
    if (message.do === 'begin') guardian = begin(message);
    else guardian?.told(message);
  }),
);
process.stdin.on('end', ended).on('close', ended).on('error', ended);
