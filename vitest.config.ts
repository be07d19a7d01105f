import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const source = ['@muster/source', 'module', 'node', 'default'];

export default defineConfig({
  test: {
    projects: [
      {
        // Unit tests read the packages' sources, so they need no build.
        resolve: { conditions: source },
        ssr: { resolve: { conditions: source } },
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'],
          testTimeout: 20_000,
          // All of a small machine: by default one processor stays idle.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        // End-to-end tests start real processes from dist, which is what ships.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // One at a time, and alone: bounds are measured.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
