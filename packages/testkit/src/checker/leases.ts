import { drift } from '../simulation/drift.ts';
import type { Chronicle } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

/** A session whose lease has run out at its node is over: no renewal brings it back. */
export function noRenewalAfterExpiry(chronicle: Chronicle): Finding[] {
  const ends = new Map<string, number>();
  return chronicle.named('renewed').flatMap((event) => {
    const session = `${String(event['life'])} ${event.incarnation} ${event.session}`;
    const at = msOf(event);
    const end = ends.get(session) ?? Infinity;
    ends.set(session, at + Number(event['left']) * (1 + drift));
    if (at <= end) return [];
    return [
      {
        at,
        what: `${event.on} renewed session ${event.session} of ${event.incarnation}, whose lease had ended at ${end.toFixed(1)} ms.`,
      },
    ];
  });
}
