export { memoryNetwork, type MemoryNetwork, type MemoryOptions } from '../transport/memory.ts';
export { Recorder, type Expectation, type LinkBench, type MakeBench, type TestWords } from './link-bench.ts';
export { linkSuite } from './link-suite.ts';
export { seededEntropy } from './seeded-entropy.ts';
export { Stoppable } from './stoppable.ts';
export { virtualClock, type VirtualClock } from './virtual-clock.ts';
