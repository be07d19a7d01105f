/** The points of a job's way at which a test build can stop or kill the coordinator. */
export type Failpoint =
  | 'block-registered'
  | 'before-cast'
  | 'after-cast'
  | 'after-init'
  | 'before-start'
  | 'after-start'
  | 'mid-stream'
  | 'before-kill'
  | 'after-kill'
  | 'before-release';

/** Nothing happens here outside test builds. */
export function failpoint(_name: Failpoint): void {}
