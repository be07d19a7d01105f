export { ValueCodec } from './value-codec.ts';
export type { ValueCodecOptions } from './value-codec.ts';
export type { RefHook, Snapshot } from './snapshot.ts';
export { guard } from './guard.ts';
export { valueLimits } from './limits.ts';
export type { ValueLimits } from './limits.ts';
