import type { HistoryEvent } from '../history/history.ts';
import type { Chronicle } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

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
  // While it was under way, however long that was: whoever has asked may have been stopped meanwhile.
  const began = Number(event['began'] ?? at);
  const since = (kind: string, ms: number): boolean =>
    chronicle.faults.some((fault) => fault.kind === kind && fault.at <= at && fault.until + ms >= began);
  const isFair =
    refused === 'missing'
      ? isDropped || since('store-lost', Infinity)
      : refused === 'full'
        ? event['what'] === 'put' && since('store-full', 0)
        : since(reasons[refused] ?? 'nothing', 0);
  return isFair ? [] : [{ at, what: `A ${String(event['what'])} was refused as ${refused} without a reason.` }];
}
