export { memoryNetwork, type MemoryNetwork, type MemoryOptions } from '../transport/memory.ts';
export { Recorder, type Expectation, type LinkBench, type MakeBench, type TestWords } from './link-bench.ts';
export { resending } from '../channel/outbox.ts';
export { linkSuite } from './link-suite.ts';
export { seededEntropy } from './seeded-entropy.ts';
export { Stoppable } from './stoppable.ts';
export { virtualClock, type VirtualClock } from './virtual-clock.ts';

// The handshake's two sides, for networks that are simulated beneath it.
export { authority, authorityOf, authoritySet, hostAndPort } from '../handshake/authority.ts';
export { plain, type Underlay } from '../handshake/certificate.ts';
export { reply, unwelcome, type Answer } from '../handshake/client.ts';
export { Gate } from '../handshake/gate.ts';
export { subprotocol } from '../handshake/transcript.ts';
export { answerOf } from '../handshake/verdict.ts';
export { race } from '../transport/dial-race.ts';
export { dialFailed, listenFailed } from '../transport/failure.ts';
