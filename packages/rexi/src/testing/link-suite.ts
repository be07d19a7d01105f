import type { MakeBench, TestWords } from './link-bench.ts';
import { endsSuite } from './link-ends.ts';
import { framesSuite, pressureSuite } from './link-frames.ts';
import { forgerySuite, handshakeSuite } from './link-handshake.ts';

/**
 * What every transport keeps. Call it in a test file with the words of your test runner, vitest's or others like them:
 *
 *     linkSuite('my transport', () => myBench(), { describe, it, expect });
 *
 * `makeBench` is called once per test and gives it a network of its own.
 */
export function linkSuite(name: string, makeBench: MakeBench, words: TestWords): void {
  words.describe(`${name} as a transport`, () => {
    framesSuite(makeBench, words);
    pressureSuite(makeBench, words);
    endsSuite(makeBench, words);
    handshakeSuite(makeBench, words);
    forgerySuite(makeBench, words);
  });
}
