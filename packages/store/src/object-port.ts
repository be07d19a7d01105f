import type { ObjectAnswer, ObjectAsk } from './transfer.ts';

/** Who asks over a port. */
export interface ObjectPortHandler {
  /** @throws ProtocolError when the peer broke a rule: the port's owner closes the link with its code. */
  message(message: ObjectAnswer): void;
  /** Once, last: the link is over and nothing more will be answered. */
  ended(reason: string): void;
}

/** The object messages of one link, whoever else speaks over it: a coordinator's session, or a node's link to a peer. */
export interface ObjectPort {
  /** After the end it does nothing. `left`: the message begins to leave; gets may overtake it until then. */
  send(message: ObjectAsk, left?: () => void): void;
  /** Set once, before the turn in which the port was given ends. A port that has ended says so then. */
  handle(handler: ObjectPortHandler): void;
  /** Nobody asks any more: a link that is there for nothing else may close. */
  close(): void;
}
