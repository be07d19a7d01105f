export { connectorSuite } from './connector-suite.ts';
export type { Matchers, SuiteOptions, TestTools } from './connector-suite.ts';
