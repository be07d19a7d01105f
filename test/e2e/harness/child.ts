export { Child, now } from '@muster/testkit/chaos';
