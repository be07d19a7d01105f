import type { ErrorCode, LinkEnd, Peer, SessionRefused } from '@muster/rexi';
import { CloseCode, ClusterError } from '@muster/rexi';

/** Why a node cannot be linked to, where another attempt will find the same. */
const lasting: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'version_mismatch', 'bad_options']);
/** Refusals of one handshake, which the next one may well not meet. */
const passing: ReadonlySet<string | undefined> = new Set(['foreign', 'old', 'replayed']);

/** Whether somebody has to change something before the node can be linked to: waiting is in vain. */
export function isLasting(trouble: ClusterError | undefined): boolean {
  return trouble !== undefined && lasting.has(trouble.code) && !passing.has(trouble.detail);
}

/** What the end of its link means for the session, and what to look at. */
export function lostSession(node: string, end: LinkEnd): ClusterError {
  return new ClusterError('down', `The session with the node was lost: ${meaning(end)}.`, { node });
}

/** The node opens no such session, or does not carry it on. */
export function refusedSession(node: string, { code, reason }: SessionRefused): ClusterError {
  const text =
    code === 'session_unknown'
      ? `The session with the node was lost: ${reason}, by the time its link was back.`
      : `The node refused the session: ${reason}.`;
  return new ClusterError(code === 'fenced' ? 'fenced' : 'down', text, { node });
}

/** Nobody listens any more where the node was, or another life of it does. */
export function endedProcess(node: string, cause?: ClusterError): ClusterError {
  const how = cause === undefined ? 'and was started again' : "and nothing listens at its address; see the node's log";
  return new ClusterError('down', `The session with the node was lost: its process has ended, ${how}.`, {
    node,
    ...(cause && { cause }),
  });
}

function meaning({ by, code, reason }: LinkEnd): string {
  if (by === 'silent') {
    const fault = reason === '' ? '' : ` (${reason})`;
    return `the link broke without a word${fault}; check the network in between, and the node's log`;
  }
  if (reason !== '') return reason.replace(/\.$/, '');
  if (code === 1006)
    return "the node hung up without a word; its process has ended, or something in between cut the link: see the node's log";
  const [name] = Object.entries(CloseCode).find(([, known]) => known === code) ?? ['unknown'];
  return `it was closed with code ${code} (${name})`;
}

/** A node as far as its identity goes. */
export interface Named {
  readonly address: string;
  readonly id: string | undefined;
  readonly incarnation: string | undefined;
}

/** Why `address` may not be `peer` beside these others: two that are one, or one name for two, would be mixed up. */
export function doubled(address: string, peer: Peer, others: Iterable<Named>): ClusterError | undefined {
  for (const other of others) {
    if (other.incarnation === peer.incarnation) {
      const text = `${other.address} and ${address} are one node, "${peer.id}"; name it once.`;
      return new ClusterError('bad_options', text, { detail: 'incarnation' });
    }
    if (other.id === peer.id) {
      const text = `There are two nodes "${peer.id}": ${other.address} came first, and ${address} is left out; give each an id of its own.`;
      return new ClusterError('bad_options', text, { detail: 'id' });
    }
  }
  return undefined;
}

/** A node as far as it is not up. */
export interface Troubled {
  readonly address: string;
  readonly state: string;
  readonly trouble: ClusterError | undefined;
}

/** Fewer than `count` nodes are up, after so many milliseconds or for good, and why each of the others is not. */
export function tooFewUp(nodes: readonly Troubled[], count: number, after: number | undefined): ClusterError {
  const down = nodes.filter(({ state }) => state !== 'up');
  const cause = (down.find(({ trouble }) => isLasting(trouble)) ?? down.find(({ trouble }) => trouble))?.trouble;
  const code = cause !== undefined && isLasting(cause) ? cause.code : 'unreachable';
  const when = after === undefined ? '' : ` after ${after} ms`;
  const troubles = down.map(troubleOf).join('; ');
  return new ClusterError(code, `Fewer than ${count} of ${nodes.length} nodes are up${when}: ${troubles}.`, { cause });
}

/** With the address said once. */
function troubleOf({ address, state, trouble }: Troubled): string {
  const text = trouble?.text.replace(/\.$/, '') ?? `it is ${state}`;
  return text.includes(address) ? text : `${address}: ${text}`;
}
