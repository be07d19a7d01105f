export { Wire } from '@muster/testkit/chaos';
export type { Direction } from '@muster/testkit/chaos';
