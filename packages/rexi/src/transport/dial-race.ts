import { onAbort } from '../abort.ts';
import type { ClusterError } from '../errors.ts';
import type { Clock, DialOptions, Link } from '../seams.ts';
import { dialCancelled, dialTimeout } from './failure.ts';

/**
 * Runs a dial against its timeout and its signal; the first of the three decides. `attempt` is given a signal that
 * says when it has lost or failed, to hang up; a link that it makes all the same is aborted.
 */
export function race(
  clock: Clock,
  address: string,
  { timeout, signal }: Pick<DialOptions, 'timeout' | 'signal'>,
  attempt: (lost: AbortSignal) => Promise<Link>,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const lost = new AbortController();
    let over = false;
    const first = (): boolean => {
      if (over) return false;
      timer.cancel();
      leave?.();
      return (over = true);
    };
    const lose = (error: ClusterError): void => {
      if (!first()) return;
      lost.abort(error);
      reject(error);
    };
    const cancel = (): void => lose(dialCancelled(address, signal?.reason));
    const timer = clock.after(timeout, () => lose(dialTimeout(address, timeout)));
    const leave = signal && onAbort(signal, cancel);
    if (signal?.aborted) return cancel();
    attempt(lost.signal).then(
      (link) => (first() ? resolve(link) : link.abort('the dial was over')),
      (error: unknown) => {
        if (!first()) return;
        lost.abort(error); // What was opened for it and not used yet is hung up as well.
        reject(error);
      },
    );
  });
}
