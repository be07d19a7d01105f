import type { ErrorCode, Message } from '@muster/rexi';
import type { Job } from './job.ts';
import type { Session } from './sessions.ts';

/** An end without a value, as a coordinator reads it. */
export interface Reason {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly message: string;
  readonly error?: Uint8Array;
}

/** What the jobs need of the agent around them. */
export interface JobsPort {
  /** Sends in the session; what has no link any more is lost, and its session ends by itself. `left`: it is handed to the link. */
  send(session: Session, message: Message, left?: () => void): void;
  /** Body bytes that wait for the session's link. */
  waiting(session: Session): number;
  /** The last job of an ended session is dead. */
  gone(session: Session, killed: number): void;
  /** Objects that a value or rows have carried to the coordinator belong to its session from now on. */
  adopt(session: Session, keys: readonly string[]): void;
  /** Objects that did not leave a job go with it. */
  release(task: number): void;
  /** A store operation of a job. */
  operate(job: Job, operation: string, payload: Uint8Array): Promise<Uint8Array>;
  /** One line of the node's history. */
  note(event: string, facts: Record<string, unknown>): void;
}
