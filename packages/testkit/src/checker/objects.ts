import type { Chronicle } from './chronicle.ts';
import { msOf } from './chronicle.ts';
import type { Finding } from './violation.ts';

/** Why an object may not be there. */
const misses: ReadonlySet<string> = new Set(['missing', 'evicted', 'lost', 'full', 'timeout', 'cancelled', 'closed']);

/** An object as its maker has told its caller. */
interface Made {
  readonly key: string;
  readonly ref: string;
  readonly size: number;
  /** Its session's from then on, and not its job's alone. */
  readonly kept: boolean;
  /** When its caller heard of it. */
  readonly at: number;
}

function madeIn(chronicle: Chronicle): ReadonlyMap<string, Made> {
  const all = chronicle.named('object-made').map((event) => ({ ...(event as unknown as Made), at: msOf(event) }));
  return new Map(all.map((made) => [made.key, made]));
}

/** Who asks for an object gets the bytes that were put, or is told that they are not there; nothing else. */
export function objectsAreAsPut(chronicle: Chronicle): Finding[] {
  const made = madeIn(chronicle);
  return chronicle.named('object-told').flatMap((event) => {
    const key = String(event['key']);
    const object = made.get(key);
    const refused = event['refused'];
    const at = msOf(event);
    if (refused !== undefined) {
      const foreign = event['kind'] === 'drop' && refused === 'foreign';
      return misses.has(String(refused)) || foreign ? [] : [{ at, what: `${key} was refused as ${String(refused)}.` }];
    }
    if (event['size'] === undefined || object === undefined) return [];
    if (event['size'] === object.size && event['whole'] === object.ref.slice(0, object.size)) return [];
    return [
      { at, what: `${key} has ${String(event['size'])} bytes of ${String(event['whole'])}, and not what was put.` },
    ];
  });
}

/** When the object's owner has ended: its job, or the session that the job was of; undefined: never. */
function ownerEnded(chronicle: Chronicle, { ref, kept, at }: Made): number | undefined {
  const job = chronicle.jobs.get(ref);
  if (job === undefined) return undefined;
  if (!kept) return job.over;
  const over = job.over ?? at;
  // Its caller may hear of it only when it is lost already, over the next link.
  const lost = chronicle
    .hitting([`s ${job.node}`], Math.min(over, at), chronicle.end)
    .filter(({ kind }) => kind === 'store-lost');
  const ended = [...chronicle.named('session-ended'), ...chronicle.named('node-down')].filter(
    (event) =>
      event.on === job.node && (event.incarnation ?? job.incarnation) === job.incarnation && msOf(event) >= over,
  );
  const ends = [...ended.map(msOf), ...lost.map((fault) => fault.at)];
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** An object goes with its owner: whoever asks its holder later does not find it. */
export function objectsGoWithOwners(chronicle: Chronicle): Finding[] {
  const made = madeIn(chronicle);
  return chronicle.named('object-told').flatMap((event) => {
    const object = made.get(String(event['key']));
    const ended = object && ownerEnded(chronicle, object);
    if (event['there'] !== true || ended === undefined || Number(event['began']) <= ended + settles) return [];
    return [{ at: msOf(event), what: `${object?.key} is there, whose owner ended at ${ended.toFixed(1)} ms.` }];
  });
}

/** A job's end is seen where it runs a little before its agent has read of it. */
const settles = 1_000;

/** As long as its owner lives an object is there, where nothing hinders whoever asks. */
export function objectsStay(chronicle: Chronicle): Finding[] {
  const made = madeIn(chronicle);
  const dropped = new Set(chronicle.named('object-dropped').map((event) => event['key']));
  return chronicle.named('object-told').flatMap((event) => {
    const object = made.get(String(event['key']));
    const at = msOf(event);
    const isMiss = event['there'] === false || event['refused'] === 'evicted' || event['refused'] === 'missing';
    if (!isMiss || object?.kept !== true || dropped.has(object.key)) return [];
    if ((ownerEnded(chronicle, object) ?? Infinity) <= at) return [];
    return [{ at, what: `${object.key} is not there any more, although its session is.` }];
  });
}
