import type { ChaosLab } from '../lab/chaos-lab.ts';
import type { NodeProcess } from '../lab/node-process.ts';
import { descriptorsOf } from '../process/machine.ts';
import { until } from '../process/wait.ts';

/** An agent holds a socket and a pipe of each of its executors. */
const perExecutor = 2;

/** What agents had open before anybody connected, to be compared with what they have afterwards. */
export class Descriptors {
  readonly #before: ReadonlyMap<NodeProcess, number>;

  constructor(lab: ChaosLab) {
    this.#before = new Map(lab.agents.map((node) => [node, countOf(node)]));
  }

  /** Nodes that live and have more open than before: a sentence each. */
  async different(): Promise<string[]> {
    const more = (): string[] =>
      [...this.#before].flatMap(([node, before]) => {
        if (node.ending !== undefined) return [];
        const count = countOf(node);
        return count > before ? [`The agent of ${node.id} had ${before} files open, and has ${count} now.`] : [];
      });
    await until('descriptors are as before', () => more().length === 0, 2_000).catch(() => undefined);
    return more();
  }
}

function countOf(node: NodeProcess): number {
  return (descriptorsOf(node.pid) ?? 0) - perExecutor * node.executors.length;
}
