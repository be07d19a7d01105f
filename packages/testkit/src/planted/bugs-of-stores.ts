import { ByteCache, Store } from '@muster/store';
import type { Planted } from './breaking.ts';
import { swap } from './breaking.ts';

/** Bugs in a store beside the cluster. */
export const bugsOfStores: readonly Planted[] = [
  {
    name: 'dropped-value-comes-back',
    breaks: 'What was dropped is not given any more, out of a cache either.',
    plant: () => swap(ByteCache.prototype, 'delete', () => () => undefined),
  },
  {
    name: 'put-answered-before-it-is-kept',
    breaks: 'A key is given for what is kept, and not for what a full store has refused.',
    plant: () =>
      swap(
        Store.prototype,
        'put',
        (real) =>
          async function put(this: Store, value, options) {
            try {
              return await real.call(this, value, options);
            } catch {
              return this.ref(`shared.${'A'.repeat(22)}`);
            }
          } as Store['put'],
      ),
  },
];
