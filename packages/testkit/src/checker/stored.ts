import type { HistoryEvent } from '../history/history.ts';
import type { Chronicle } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

/** A call may end so many milliseconds after what it suffered of. */
const echo = 1_000;

/** What a call of a store may be refused as, and the fault that is the reason for it. */
const reasons: Readonly<Record<string, string>> = {
  lost: 'store-failing',
  full: 'store-full',
  timeout: 'store-slow',
};

/** A store gives what was put into it, or says why not, and has a reason for that. */
export function storedIsAsPut(chronicle: Chronicle): Finding[] {
  const sizes = new Map<unknown, unknown>();
  const dropped = new Set<unknown>();
  const gone = new Map<unknown, number>();
  return ['stored-told', 'stored-drop']
    .flatMap((name) => chronicle.named(name))
    .sort((a, b) => a.seq - b.seq)
    .flatMap((event) => {
      const key = event['key'];
      if (event.event === 'stored-drop') dropped.add(key);
      else if (event['what'] === 'put' && event['refused'] === undefined) sizes.set(key, event['size']);
      else if (event['refused'] !== undefined) return unreasonable(chronicle, event, dropped.has(key));
      else if (event['what'] === 'drop') gone.set(key, Math.min(gone.get(key) ?? Infinity, msOf(event)));
      else if (Number(event['began']) > (gone.get(key) ?? Infinity))
        return [{ at: msOf(event), what: `${String(key)} is there, although it was dropped.` }];
      else if (event['what'] === 'get' && (event['whole'] !== true || event['size'] !== sizes.get(key)))
        return [{ at: msOf(event), what: `${String(key)} is not what was put.` }];
      return [];
    });
}

function unreasonable(chronicle: Chronicle, event: HistoryEvent, isDropped: boolean): Finding[] {
  const at = msOf(event);
  const refused = String(event['refused']);
  const since = (kind: string, ms: number): boolean =>
    chronicle.faults.some((fault) => fault.kind === kind && fault.at <= at && fault.until + ms >= at);
  const isFair =
    refused === 'missing'
      ? isDropped || since('store-lost', Infinity)
      : refused === 'full'
        ? event['what'] === 'put' && since('store-full', echo)
        : since(reasons[refused] ?? 'nothing', echo);
  return isFair ? [] : [{ at, what: `A ${String(event['what'])} was refused as ${refused} without a reason.` }];
}
