export type {
  Clock,
  Credential,
  DialOptions,
  Entropy,
  Identity,
  Keys,
  Link,
  LinkEnd,
  LinkHandler,
  Listener,
  ListenOptions,
  Peer,
  Role,
  RoleKey,
  Timer,
  Transport,
} from './seams.ts';
export { systemClock, systemEntropy } from './system.ts';
export { onAbort } from './abort.ts';
export { chance, failpoints } from './failpoints.ts';
export type { Chance, Failpoint } from './failpoints.ts';

export { ClusterError, codes, JobError, ProtocolError } from './errors.ts';
export type { ErrorCode, ErrorContext } from './errors.ts';
export { isReservedName } from './reserved-name.ts';
export type { ReservedName } from './reserved-name.ts';
export { castTrace, isCorrelationId, isTraceparent, isTracestate, traceOf } from './trace.ts';
export type { Trace } from './trace.ts';
export { CloseCode } from './close-code.ts';
export { constants, defaults, surelyDeadAfter } from './constants.ts';
export type { Constants } from './constants.ts';

export { compareRefs, formatRef, incarnationOf, maxCounter, parseRef } from './ref.ts';
export type { Ref } from './ref.ts';

export type * from './message/message.ts';
export { logLevels, mayAsk, operations, operationsOf } from './message/operations.ts';
export type {
  FailureFacts,
  JobFacts,
  KillOrder,
  LogLevel,
  NodeFacts,
  Operation,
  OperationAnswers,
  OperationName,
  OperationTakes,
  SessionFacts,
} from './message/operations.ts';
export { layouts } from './message/layouts.ts';
export { mostListed, mostTombstones } from './message/layout.ts';
export type { Lane, Layout } from './message/layouts.ts';
export { checkRole, decodeMessage, encodeMessage, laneOf } from './message/codec.ts';

export { Channel } from './channel/channel.ts';
export type { ChannelHandler, ChannelOptions } from './channel/channel.ts';
export { resume } from './channel/resume.ts';
export type { ResumeAnswer, ResumeOptions } from './channel/resume.ts';

export { guard, ValueCodec, valueLimits } from './value/index.ts';
export type { RefHook, Snapshot, ValueCodecOptions, ValueLimits } from './value/index.ts';

export { authorityOf } from './handshake/authority.ts';
export { isId, newIdentity } from './handshake/identity.ts';
export { formatRoleKey, looksLikeRoleKey, parseRoleKey } from './handshake/role-key.ts';
export { subprotocol } from './handshake/transcript.ts';
export { pinOf } from './handshake/certificate.ts';
export { checkTls, wsTransport } from './transport/ws.ts';
export type { TlsOptions } from './transport/tls-options.ts';
export type { WsOptions } from './transport/ws.ts';
export { wsDefaults } from './transport/ws-limits.ts';
export type { WsLimits } from './transport/ws-limits.ts';
export { memoryNetwork } from './transport/memory.ts';
export type { MemoryNetwork, MemoryOptions } from './transport/memory.ts';
