export { connectorSuite } from './connector-suite.ts';
export type { SuiteOptions, TestTools } from './connector-suite.ts';
