import { describe, expect, it } from 'vitest';
import { invariants } from '../checker/check.ts';
import { tryVariant } from './try-variant.ts';
import type { Variant } from './variant.ts';
import { untold, variants } from './variants.ts';

const named = (name: string): Variant => variants.find((variant) => variant.name === name) as Variant;

describe('Variants of the protocol', () => {
  it('have names of their own, and rules that there are', () => {
    const names = [...variants, ...untold].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { rules } of variants) for (const rule of rules) expect(Object.keys(invariants)).toContain(rule);
  });

  it('fail as the model of them does where a rule is missing, and hold where another one makes up for it', async () => {
    expect(await tryVariant(named('CRASH_MACHINE REGFIRST REGACK KILLFIRST DRAIN TOMB'), 1, 20)).toMatchObject({
      outcome: 'fails',
    });
    expect(await tryVariant(named('RESEND NO_COUNTER'), 1, 20)).toMatchObject({ outcome: 'fails' });
    expect(await tryVariant(named('LOSS RESEND KILLS'), 1, 5)).toEqual({ outcome: 'holds', seeds: 5 });
  });
});
