import type { Constants } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { checkRole, decodeMessage, encodeMessage, laneOf } from '../message/codec.ts';
import type { Message, SessionRefused } from '../message/message.ts';
import type { Clock, Link, LinkEnd } from '../seams.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { badState } from './violation.ts';

/** What came of asking for a session at a new link. */
export type ResumeAnswer =
  /** The link carries on: give it to the channel's `move`, in this turn. */
  | { readonly is: 'resumed'; readonly read: number }
  | { readonly is: 'refused'; readonly refusal: SessionRefused }
  /** Nobody knows: ask at another link. */
  | { readonly is: 'unanswered'; readonly end: LinkEnd };

export interface ResumeOptions {
  readonly clock: Clock;
  readonly constants: Constants;
  readonly session: number;
  /** The last frame that was read of it; the link it came over is destroyed. */
  readonly read: number;
  /** Called once, unless it was taken back. */
  readonly answered: (answer: ResumeAnswer) => void;
}

/**
 * Asks at a new link to go on with a session. Until the answer this side says nothing else: the next frame after it would
 * be the session's. Returns what takes it back, and destroys the link.
 */
export function resume(link: Link, { clock, constants, session, read, answered }: ResumeOptions): () => void {
  const inbox = new Inbox(constants);
  let open = true;
  const settle = (answer: ResumeAnswer): void => {
    if (!open) return;
    open = false;
    patience.cancel();
    answered(answer);
  };
  const end = (code: number, reason: string): void => {
    link.close(code, reason);
    settle({ is: 'unanswered', end: { by: 'self', code, reason } });
  };
  const hear = (message: Message): void => {
    checkRole(link.peer.role, message.type);
    if (message.type === 'session-resumed') {
      if (message.session !== session) throw badState(`resumed session ${message.session}, and not ${session}`);
      settle({ is: 'resumed', read: message.read });
    } else if (message.type === 'session-refused') {
      settle({ is: 'refused', refusal: message });
      link.abort('the session was refused');
    } else if (message.type !== 'heartbeat' && message.type !== 'session-ack') {
      throw badState(`sent "${message.type}" before it had resumed the session`);
    }
  };
  const patience = clock.after(constants.connect, () => {
    link.abort('the session was not resumed in time');
    settle({ is: 'unanswered', end: { by: 'self', code: 1006, reason: 'the session was not resumed in time' } });
  });
  link.handle({
    frame(bytes) {
      try {
        for (const message of inbox.take(bytes)) if (open) hear(decodeMessage(message));
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        end(error.closeCode, error.message);
      }
    },
    drained: () => undefined,
    ended: (how) => settle({ is: 'unanswered', end: how }),
  });
  const outbox = new Outbox(constants);
  outbox.push(laneOf('session-resume'), encodeMessage({ type: 'session-resume', session, read }));
  const frame = outbox.next();
  if (frame !== undefined) link.send(frame);
  return () => {
    if (!open) return;
    open = false;
    patience.cancel();
    link.abort('it was taken back'); // Not closed: the peer may carry the session on over it by now, and ends nothing for a reset.
  };
}
