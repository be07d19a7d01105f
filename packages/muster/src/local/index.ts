export { NodeProcess } from './node-process.ts';
export type { HistoryLine, NodeProcessOptions } from './node-process.ts';
