/** Why a link was closed. Private-use WebSocket codes, so that every client library can carry them. */
export const CloseCode = {
  /** The conversation is over, and nobody did anything wrong. */
  normal: 1000,
  /** The node shuts down. */
  goAway: 1001,
  /** A frame that is not binary, not made as frames are, or out of sequence. */
  badFrame: 4000,
  /** A frame or message larger than its limit. */
  tooLarge: 4001,
  /** A message of unknown type or with fields that do not fit its layout. */
  badMessage: 4002,
  /** A message that the peer's role does not allow. */
  forbidden: 4003,
  /** A value too deep, too big, or of a kind that is not let in. */
  badValue: 4004,
  /** An ack, a window or a counter that contradicts what was sent. */
  badState: 4005,
  /** The control buffer is full: the peer does not read. */
  overflow: 4006,
  /** Nothing could be written for the write deadline. */
  stalled: 4007,
  /** A newer session or guardian of the same incarnation has taken over. */
  replaced: 4008,
  /** The incarnation was fenced. */
  fenced: 4009,
  /** The session's lease has run out. */
  leaseLost: 4010,
  /** The guardian has a lower number than one seen before. */
  staleGuardian: 4011,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
