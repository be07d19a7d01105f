export { SimulatedGuardian, SimulatedGuardians } from './simulated-guardians.ts';
export type { SimulatedGuardiansOptions } from './simulated-guardians.ts';
export { Guardian } from '../guardian/guardian.ts';
export type { GuardianOptions } from '../guardian/guardian.ts';
export * as internals from './internals.ts';
