export { SimulatedGuardian, SimulatedGuardians } from './simulated-guardians.ts';
export type { SimulatedGuardiansOptions } from './simulated-guardians.ts';
