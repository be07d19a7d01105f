/**
 * Every message that may cross between two nodes. One union owns the words: units and limits are here, layouts beside
 * it in layouts.ts. Counters are those of the link's own incarnation, which its handshake has proved: the reference of
 * somebody else cannot be said, except by a role that has another message for it.
 */

/** Opens a session: a coordinator's first message to a worker. Numbers ascend per pair of incarnations. */
export interface SessionOpen {
  readonly type: 'session-open';
  /** 1 to 2^32 - 1. */
  readonly session: number;
}

/** The worker has taken the session; jobs of all older sessions of this incarnation are dead. */
export interface SessionAccepted {
  readonly type: 'session-accepted';
  readonly session: number;
  /** The worker's stamp from which the session's first lease counts. */
  readonly stamp: number;
  /** The worker's lease L and kill time K in milliseconds, from which the coordinator derives its own bound. */
  readonly lease: number;
  readonly kill: number;
  /** The names of the jobs that the node runs, each with its kind. */
  readonly jobs: readonly { readonly name: string; readonly stream: boolean }[];
}

/**
 * The session cannot be had: a newer one has been seen (`stale`), the incarnation is `fenced`, or the one that was to be
 * resumed is over (`session_unknown`).
 */
export interface SessionRefused {
  readonly type: 'session-refused';
  readonly session: number;
  readonly code: string;
  readonly reason: string;
}

/** Starts jobs: one, or a fan-out that shares its arguments. */
export interface Cast {
  readonly type: 'cast';
  readonly job: string;
  /** Milliseconds left when first handed to the socket; 0: no deadline. */
  readonly timeLeft: number;
  /** Higher runs first within a lane; 128 is ordinary. */
  readonly priority: number;
  /** A packed value of more bytes than this stays at the node, which replies with its key. Absent: none does. */
  readonly inlineUpTo?: number | undefined;
  /** What the caller does this for (section 4.4). Absent: it has not said. */
  readonly trace?: CastTrace | undefined;
  /** Packed arguments. */
  readonly args: Uint8Array;
  /** Ascending counters, each with its packed shard (empty: none). At least one; larger fan-outs go in several messages. */
  readonly parts: readonly { readonly counter: number; readonly shard: Uint8Array }[];
}

/** The trace that casts belong to; see trace.ts for its texts. */
export interface CastTrace {
  /** 16 bytes: the trace id of W3C Trace Context. All zero: there is only a correlation id. */
  readonly id: Uint8Array;
  /** 8 bytes. The span id of each part is this XOR its counter, as 64 bits. */
  readonly span: Uint8Array;
  /** The trace flags. */
  readonly flags: number;
  /** The `tracestate` as it came; empty: none. */
  readonly state: string;
  /** What the caller calls it; empty: nothing. */
  readonly correlation: string;
}

/** The coordinator chose this stream: rows may be computed, up to the window. */
export interface StreamStart {
  readonly type: 'stream-start';
  readonly counter: number;
  readonly rows: number;
  readonly bytes: number;
}

/** The coordinator did not choose, or does not want more of, this stream. It ends without a word. */
export interface StreamCancel {
  readonly type: 'stream-cancel';
  readonly counter: number;
}

/** Totals consumed since the start. Repeated unchanged it says "still wanted". */
export interface Ack {
  readonly type: 'ack';
  readonly counter: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Kills jobs. With `confirm` other than 0 it is answered `killed` when their processes are gone. */
export interface Kill {
  readonly type: 'kill';
  readonly confirm: number;
  /** Milliseconds between the abort signal and SIGKILL. */
  readonly grace: number;
  readonly counters: readonly number[];
}

/** The answer to a `kill` that asked for one: its processes are gone. */
export interface Killed {
  readonly type: 'killed';
  readonly confirm: number;
}

/** Echoes the newest stamp read from that worker: the session's lease counts from it. */
export interface Renew {
  readonly type: 'renew';
  readonly session: number;
  /** The worker's own milliseconds. */
  readonly stamp: number;
}

/** A guardian's first message. A number lower than one seen for the incarnation is refused. */
export interface Guard {
  readonly type: 'guard';
  readonly number: number;
}

/** (guardian) The incarnation is dead: end its sessions, refuse it from now on. */
export interface Fence {
  readonly type: 'fence';
}

/** Every job of the fenced incarnation is dead, but those named (after K), as many as a list has room for. */
export interface Fenced {
  readonly type: 'fenced';
  readonly killed: number;
  readonly left: readonly number[];
}

/** (guardian) The coordinator has given this session up. */
export interface End {
  readonly type: 'end';
  readonly session: number;
}

/** The answer to `end`: the session's jobs are being killed, and it takes nothing any more. */
export interface Ended {
  readonly type: 'ended';
  readonly session: number;
}

/** A job's value: its one and only end. */
export interface Reply {
  readonly type: 'reply';
  readonly counter: number;
  readonly value: Uint8Array;
}

/** The end of a stream, behind its rows. */
export interface Last {
  readonly type: 'last';
  readonly counter: number;
  /** Rows sent in all: what the coordinator has must be equal. */
  readonly rows: number;
  readonly value: Uint8Array;
}

/** The end of a job that has no value. */
export interface Exit {
  readonly type: 'exit';
  readonly counter: number;
  /** One of the exit codes. */
  readonly code: string;
  /** Who killed it, which limit, which timeout; empty where the code says all. */
  readonly detail: string;
  readonly message: string;
  /** The packed error of a job that threw, else empty. */
  readonly error: Uint8Array;
}

/** The stream's executor has taken the job. No row is computed before its start. */
export interface StreamInit {
  readonly type: 'stream-init';
  readonly counter: number;
}

/** Rows of a stream, as many as the window has room for. */
export interface Rows {
  readonly type: 'rows';
  readonly counter: number;
  /** The number of the first row of this batch, from 0. */
  readonly first: number;
  readonly count: number;
  /** The packed batch. */
  readonly batch: Uint8Array;
}

/** Alive without output. */
export interface Ping {
  readonly type: 'ping';
  readonly counter: number;
}

/** How far a job has come. */
export interface Progress {
  readonly type: 'progress';
  readonly counter: number;
  readonly value: Uint8Array;
}

/** A structured line of a job's log. */
export interface Log {
  readonly type: 'log';
  readonly counter: number;
  readonly value: Uint8Array;
}

/** Liveness on the sender's own monotonic clock, in whole milliseconds. */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly stamp: number;
}

/** All frames up to this number have been read. */
export interface SessionAck {
  readonly type: 'session-ack';
  readonly frame: number;
}

/** No new work, please: the node drains. */
export interface GoAway {
  readonly type: 'go-away';
  readonly reason: string;
}

/** Introspection and control, by name, with a packed value; answered by `response` with the same id. */
export interface Request {
  readonly type: 'request';
  readonly id: number;
  readonly name: string;
  readonly value: Uint8Array;
}

/** The answer to the request of that id: its packed value, or a packed error. */
export interface Response {
  readonly type: 'response';
  readonly id: number;
  readonly ok: boolean;
  readonly value: Uint8Array;
}

/** Asks for an object's bytes in chunks; `credit` bytes may be under way until more is granted. */
export interface ObjectGet {
  readonly type: 'object-get';
  readonly id: number;
  readonly object: string;
  readonly credit: number;
}

/** The first answer: how many bytes there will be. */
export interface ObjectHead {
  readonly type: 'object-head';
  readonly id: number;
  readonly size: number;
}

/** Bytes of the object, in order; the one that completes it ends the transfer. */
export interface ObjectChunk {
  readonly type: 'object-chunk';
  readonly id: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Total bytes consumed: the sender may be `credit` ahead of it. */
export interface ObjectAck {
  readonly type: 'object-ack';
  readonly id: number;
  readonly bytes: number;
}

/**
 * The end without more of the object. From the holding side: `missing`, `evicted` or `lost`, and as the answer to a drop
 * `dropped` or `foreign`. From the asking side: `cancelled`, or `drop` for an object of its own session.
 */
export interface ObjectEnd {
  readonly type: 'object-end';
  readonly id: number;
  readonly code: string;
}

/** The only word of a coordinator on a new link that is to carry on an accepted session whose link broke. */
export interface SessionResume {
  readonly type: 'session-resume';
  readonly session: number;
  /** The last frame of the session that was read. */
  readonly read: number;
}

/** The session goes on behind this frame: the link's next one is the session's. */
export interface SessionResumed {
  readonly type: 'session-resumed';
  readonly session: number;
  /** The last frame of the session that was read. */
  readonly read: number;
}

export type Message =
  | SessionOpen
  | SessionAccepted
  | SessionRefused
  | Cast
  | StreamStart
  | StreamCancel
  | Ack
  | Kill
  | Killed
  | Renew
  | Guard
  | Fence
  | Fenced
  | End
  | Ended
  | Reply
  | Last
  | Exit
  | StreamInit
  | Rows
  | Ping
  | Progress
  | Log
  | Heartbeat
  | SessionAck
  | GoAway
  | Request
  | Response
  | ObjectGet
  | ObjectHead
  | ObjectChunk
  | ObjectAck
  | ObjectEnd
  | SessionResume
  | SessionResumed;

export type MessageType = Message['type'];
