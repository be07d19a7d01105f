import type { Constants } from '@muster/rexi';
import type { HistoryEvent } from '../history/history.ts';
import * as causes from './causes.ts';
import { Chronicle } from './chronicle.ts';
import * as cleanup from './cleanup.ts';
import * as leases from './leases.ts';
import * as objects from './objects.ts';
import * as rows from './rows.ts';
import * as starts from './starts.ts';
import * as stored from './stored.ts';
import type { Invariant, Violation } from './violation.ts';

/** Every invariant that is checked after every run, by name. */
export const invariants: Readonly<Record<string, Invariant>> = {
  ...cleanup,
  ...starts,
  ...leases,
  ...objects,
  ...stored,
  ...rows,
  ...causes,
};

/** What a history has broken; nothing for a good one. */
export function check(events: readonly HistoryEvent[], constants: Constants): Violation[] {
  const chronicle = new Chronicle(events, constants);
  return Object.entries(invariants).flatMap(([rule, invariant]) =>
    invariant(chronicle).map((finding) => ({ rule, ...finding })),
  );
}
