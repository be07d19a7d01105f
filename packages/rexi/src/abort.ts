/** Who waits for each signal. It is gone with the signal. */
const waiting = new WeakMap<AbortSignal, { readonly runs: Set<() => void>; readonly fire: () => void }>();

/**
 * Calls `run` when the signal is aborted, unless what is returned was called before. However many wait for a signal, it
 * carries one listener, and none when nobody waits any more: a program may give one signal to all that it does.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const { runs } = waiting.get(signal) ?? listen(signal);
  // Its own function, so that the same one can wait twice.
  const once = (): void => run();
  runs.add(once);
  return () => {
    if (runs.delete(once) && runs.size === 0) silence(signal);
  };
}

function listen(signal: AbortSignal): { readonly runs: Set<() => void> } {
  const runs = new Set<() => void>();
  const fire = (): void => {
    silence(signal);
    const all = [...runs];
    runs.clear();
    for (const run of all) run();
  };
  waiting.set(signal, { runs, fire });
  signal.addEventListener('abort', fire);
  return { runs };
}

function silence(signal: AbortSignal): void {
  const known = waiting.get(signal);
  if (known === undefined) return;
  waiting.delete(signal);
  signal.removeEventListener('abort', known.fire);
}
