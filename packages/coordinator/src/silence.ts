import type { Channel, Clock, Constants, Timer } from '@muster/rexi';
import { judging } from './judge.ts';

/** Cuts a link off that says nothing for `bound` milliseconds: the session's jobs are surely dead by then. */
export function cutWhenSilent(
  channel: Channel,
  bound: number,
  { clock, constants }: { readonly clock: Clock; readonly constants: Constants },
): Timer {
  let timer: Timer | undefined;
  const look = (due: number): void => {
    if (channel.ended) return;
    const now = clock.now();
    const late = judging.isLate(now, due, constants);
    const left = channel.heard + bound - now;
    // Late means that we were stopped: what the node has said meanwhile is read before anything is judged.
    if (left <= 0 && !late) return channel.abort(`nothing was heard for ${Math.round(bound)} ms`);
    const wait = left > 0 ? left : constants.heartbeat;
    timer = judging.after(clock, wait, () => look(now + wait));
  };
  look(clock.now());
  return { cancel: () => timer?.cancel() };
}
