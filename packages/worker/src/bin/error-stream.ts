import { pino } from 'pino';

/** Bytes of lines that wait for a slow reader; what comes on top is dropped. */
const most = 4 * 1024 * 1024;

/** The process's error stream, for lines that must not wait: a node goes on whoever reads them, or does not. */
export interface ErrorStream {
  write(line: string): void;
  /** Resolves with whether all that was written has left within so many milliseconds. What is written then is lost. */
  close(ms: number): Promise<boolean>;
}

export function errorStream(): ErrorStream {
  const destination = pino.destination({ dest: 2, sync: false, maxLength: most });
  let closed = false;
  destination.on('error', () => undefined); // Nobody reads any more: lines are lost, and nothing else is.
  return {
    write(line) {
      if (!closed) destination.write(line);
    },
    close(ms) {
      closed = true;
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), ms);
        destination.once('close', () => {
          clearTimeout(timer);
          resolve(true);
        });
        destination.end();
      });
    },
  };
}
