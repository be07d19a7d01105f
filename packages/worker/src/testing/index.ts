export type { Script, ScriptCall, Step } from './script.ts';
export { ScriptedExecutor, ScriptedExecutors } from './scripted-executors.ts';
export type { ScriptedExecutorsOptions } from './scripted-executors.ts';
export { memoryNode, MemoryNode } from './memory-node.ts';
export type { MemoryNodeOptions } from './memory-node.ts';
