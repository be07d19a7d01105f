export { failureOf, throughout, until, within } from '@muster/testkit/chaos';
