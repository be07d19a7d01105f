import { ClusterError } from './errors.ts';

/** The protocol's one table of constants. Times in milliseconds, sizes in bytes. */
export const defaults = {
  /** H: time between heartbeats. */
  heartbeat: 1_000,
  /** Heartbeats missed until a peer is suspect. */
  suspectAfter: 3,
  /** L: the lease of a session, from the newest stamp that was echoed to the worker. */
  lease: 5_000,
  /** V: how long the guardian vouches for a coordinator that gives no sign of life. */
  vouch: 30_000,
  /** Between the abort signal and SIGKILL, where somebody asks politely. */
  killGrace: 250,
  /** K: a kill must be done within this. */
  kill: 500,
  /** C: connect and handshake. */
  connect: 5_000,
  /** W: the kernel takes no byte and the session is not vouched for. */
  write: 10_000,
  /** A job waits this long for its start. */
  startWait: 60_000,
  /** A stream waits this long for an ack. */
  ackWait: 60_000,
  /** An unchanged ack is repeated this often: "still wanted". */
  stillWanted: 20_000,
  /** Rows of one stream that may be under way. */
  windowRows: 4_096,
  /** Bytes of one stream that may be under way. */
  windowBytes: 1_048_576,
  /** Bytes of all streams of one coordinator that may be under way. */
  windowBudget: 67_108_864,
  /** Largest frame. */
  frame: 65_536,
  /** Bytes of body frames that may be under way without a session-ack, at first. */
  inFlight: 262_144,
  /** The same, at most. */
  inFlightMax: 4_194_304,
  /** What the in-flight limit grows to: this long's worth of the measured rate. */
  inFlightTime: 250,
  /** Largest message, the sum of its frames. */
  message: 16_777_216,
  /** Control bytes waiting for a link before the session is given up. */
  controlQueue: 4_194_304,
  /** Control frames that may be under way without a session-ack before the session is given up. */
  controlFrames: 4_096,
  /** Body bytes waiting for a link whose peer asks for more (casts, requests, objects) before the link is given up. */
  bodyQueue: 134_217_728,
  /** Questions of one link (requests, kills to be confirmed) that may be open. */
  questions: 1_024,
  /** Jobs of one session that may be under way; one more is answered `overloaded`. */
  jobs: 65_536,
  /** Bytes of notices (ping, progress, log) of one session that a worker holds back; more waits in its executors. */
  noticeQueue: 8_388_608,
  /** Containers inside containers of one value. */
  depth: 32,
  /** Items of one value, or of one batch of rows. */
  items: 1_048_576,
  /** Longest key of one value, in UTF-8. */
  keyBytes: 256,
  /** How long a draining node lets running jobs go on. */
  drain: 30_000,
  /** How long a fence is remembered. */
  fence: 3_600_000,
  /** Both links of a coordinator closed by the peer, and neither back: the session ends after this. */
  closedGrace: 1_000,
  /** A stream that has not sent its first message within this lets a copy of its shard be cast. */
  hedgeInit: 200,
  /** Counters registered with the guardian at a time. */
  block: 4_096,
} as const;

/** Every constant can be configured: `--set lease=2000` on the command line, `{ lease: 2000 }` in code. */
export type Constants = { readonly [Name in keyof typeof defaults]: number };

/** A timer of more milliseconds than this fires at once. */
const usual = [1, 2 ** 31 - 1] as const;

/** Least and most, where they are not the usual ones: what fits its field, and what every link carries. */
const bounds: { readonly [Name in keyof Constants]?: readonly [least: number, most: number] } = {
  killGrace: [0, 65_535],
  frame: [64, 65_536],
  inFlight: [64, usual[1]],
};

/**
 * The table with some values replaced.
 * @throws ClusterError `bad_options` for an unknown name, or a value that is not a whole number within its bounds.
 */
export function constants(changes: Partial<Constants> = {}): Constants {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(defaults, name)) {
      throw new ClusterError(
        'bad_options',
        `There is no constant "${name}"; there are ${Object.keys(defaults).join(', ')}.`,
      );
    }
    const [least, most] = bounds[name as keyof Constants] ?? usual;
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new ClusterError(
        'bad_options',
        `The constant "${name}" takes a whole number from ${least} to ${most}, not ${value}.`,
      );
    }
  }
  return Object.freeze({ ...defaults, ...changes });
}

/** The coordinator's bound: after this much silence a job of a lost session is surely dead. */
export function surelyDeadAfter(table: Pick<Constants, 'lease' | 'kill'>): number {
  return 1.1 * table.lease + table.kill;
}
