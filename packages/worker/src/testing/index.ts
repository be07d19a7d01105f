/** What a script hands out, and is given, as a reference to an object. */
export { ObjectRef } from '@muster/store';
export type { Script, ScriptCall, Step, StoreAnswer } from './script.ts';
export { ScriptedExecutor, ScriptedExecutors } from './scripted-executors.ts';
export type { ScriptedExecutorsOptions } from './scripted-executors.ts';
export { memoryNode, MemoryNode } from './memory-node.ts';
export type { MemoryNodeOptions } from './memory-node.ts';

// What decides about a reaper, for simulations that give it another body.
export { interval, newReaper, reap } from '../reaper/reaper-core.ts';
export type { ReaperEffect, ReaperEvent, ReaperState } from '../reaper/reaper-core.ts';
export * as internals from './internals.ts';
