import { ClusterError } from '../errors.ts';

/** A Map's key in a path. */
export class MapKey {
  readonly text: string;
  constructor(key: unknown) {
    this.text = typeof key === 'string' ? JSON.stringify(key) : String(key);
  }
}

/** What leads from a container to one of its values. */
export type Step = string | number | MapKey;

/** Why a walk ended early, and where. */
export class Refusal {
  readonly why: string;
  readonly path: string;
  constructor(why: string, path: string) {
    this.why = why;
    this.path = path;
  }
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

export function pathOf(step: Step): string {
  if (step instanceof MapKey) return `.get(${step.text})`;
  if (typeof step === 'number') return `[${step}]`;
  return identifier.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

/** What the user is told: `root` is the name of the whole value. */
export function explain(error: unknown, root: string): ClusterError {
  // The user's code runs in a walk: getters, Proxies, iterators of errors' stacks. It may throw anything.
  if (!(error instanceof Refusal)) {
    return new ClusterError('not_serializable', `${root} is not serializable: reading it threw`, {
      detail: root,
      cause: error,
    });
  }
  const path = root + error.path;
  return new ClusterError('not_serializable', `${path} is not serializable: ${error.why}`, { detail: path });
}
