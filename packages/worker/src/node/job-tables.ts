import type { Ref } from '@muster/rexi';
import { Counters } from './counters.ts';
import type { Job } from './job.ts';
import type { EndedBy, Session, SessionEndCode } from './sessions.ts';

/** The jobs of one session. */
export interface Table {
  readonly counters: Counters;
  readonly jobs: Map<number, Job>;
  ended: { readonly code: SessionEndCode; readonly by: EndedBy } | undefined;
  killed: number;
}

/** All jobs of a node, by session and counter. A session has a table from its first cast or kill until its jobs are gone. */
export class JobTables {
  readonly #tables: Map<Session, Table> = new Map();

  /** The session's table, made if there is none. */
  of(session: Session): Table {
    const known = this.#tables.get(session);
    if (known !== undefined) return known;
    const fresh: Table = { counters: new Counters(), jobs: new Map(), ended: undefined, killed: 0 };
    this.#tables.set(session, fresh);
    return fresh;
  }

  find(session: Session): Table | undefined {
    return this.#tables.get(session);
  }

  job(session: Session, counter: number): Job | undefined {
    return this.#tables.get(session)?.jobs.get(counter);
  }

  /** Whether there was one. */
  delete(session: Session): boolean {
    return this.#tables.delete(session);
  }

  /** All jobs of an incarnation that are not gone: ended sessions may have some beside the one that is open. */
  jobsOf(incarnation: string): Job[] {
    const own = [...this.#tables].filter(([session]) => session.incarnation === incarnation);
    return own.flatMap(([, table]) => [...table.jobs.values()]);
  }

  /** The job of this reference, in whichever session. */
  named({ incarnation, counter }: Ref): Job | undefined {
    for (const [session, table] of this.#tables) {
      const job = session.incarnation === incarnation ? table.jobs.get(counter) : undefined;
      if (job !== undefined) return job;
    }
    return undefined;
  }

  /** All jobs that are not gone. */
  get all(): Job[] {
    return [...this.#tables.values()].flatMap((table) => [...table.jobs.values()]);
  }

  /** Tombstones of all sessions together. */
  get tombstones(): number {
    return [...this.#tables.values()].reduce((sum, table) => sum + table.counters.tombstones, 0);
  }
}
