import type { Channel, Message } from '@muster/rexi';
import type { ObjectPort, ObjectPortHandler } from './object-port.ts';
import type { ObjectAnswer } from './transfer.ts';

/** An object port over messages that somebody else receives: whoever owns the channel passes them on. */
export interface PassedPort extends ObjectPort {
  /** Takes a message of the link; false when it is none of objects. */
  pass(message: Message): boolean;
  /** The link is over. */
  over(reason: string): void;
}

/** `close` is called when nobody asks any more. */
export function channelPort(channel: Pick<Channel, 'send'>, close: () => void): PassedPort {
  let handler: ObjectPortHandler | undefined;
  let reason: string | undefined;
  return {
    send: (message, left) => channel.send(message, left && (() => (left(), message))),
    handle(given) {
      handler = given;
      if (reason !== undefined) given.ended(reason);
    },
    close,
    pass(message) {
      if (!isAnswer(message)) return false;
      handler?.message(message);
      return true;
    },
    over(why) {
      if (reason !== undefined) return;
      reason = why;
      handler?.ended(why);
    },
  };
}

function isAnswer(message: Message): message is ObjectAnswer {
  return message.type === 'object-head' || message.type === 'object-chunk' || message.type === 'object-end';
}
