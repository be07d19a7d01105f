export { Proxy } from '@muster/testkit/chaos';
