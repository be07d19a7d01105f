// What decides inside a node. For test builds that break one rule of it on purpose; nobody else may rely on these names.
export { Counters } from '../node/counters.ts';
export { Jobs } from '../node/jobs.ts';
export { Placing } from '../node/placing.ts';
export { ObjectTable } from '@muster/store';
export { Sessions } from '../node/sessions.ts';
