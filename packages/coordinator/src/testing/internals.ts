// What decides inside a coordinator and its guardian. For test builds that break one rule of it on purpose; nobody else
// may rely on these names.
export { Casts } from '../casts.ts';
export { GuardianCore } from '../guardian/guardian-core.ts';
export { Guardianship } from '../guardianship.ts';
export { Incarnation } from '../incarnation.ts';
export { Intake } from '../intake.ts';
export { judging } from '../judge.ts';
export { ClusterNode } from '../node.ts';
export { Part } from '../part.ts';
export { Source } from '../source.ts';
export { lastRenewal } from '../surely-dead.ts';
