import type { Prey } from './hunter.ts';

/** What an agent tells its reaper: one JSON line each, over fd 3. Paths are absolute, times milliseconds. */
export type ToReaper =
  | { readonly type: 'hello'; readonly lease: number; readonly scratch: string }
  | { readonly type: 'watch'; readonly prey: Prey; readonly dir: string }
  | { readonly type: 'forget'; readonly pid: number }
  | { readonly type: 'beat' };

/** What it answers: the process is watched, until when the agent runs nothing in it; and each beat, so that it is known to live. */
export type FromReaper = { readonly type: 'watching'; readonly pid: number } | { readonly type: 'beat' };

/** Cuts a stream of text into its lines. */
export function lines(take: (line: string) => void): (chunk: string) => void {
  let begun = '';
  return (chunk) => {
    const [first = '', ...rest] = chunk.split('\n');
    const whole = [begun + first, ...rest];
    begun = whole.pop() ?? '';
    for (const line of whole) take(line);
  };
}
