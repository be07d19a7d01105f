import { describe, expect, it } from 'vitest';
import { constants, defaults, surelyDeadAfter, type Constants } from './constants.ts';

const bad = expect.objectContaining({ code: 'bad_options' });

describe('the table of constants', () => {
  it('is the defaults, with what was changed', () => {
    expect(constants()).toEqual(defaults);
    expect(constants({ lease: 2_000 })).toEqual({ ...defaults, lease: 2_000 });
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(constants())).toBe(true);
  });

  it.each(Object.keys(defaults) as (keyof Constants)[])(
    'takes its own default of %s, and no value that is none',
    (name) => {
      expect(constants({ [name]: defaults[name] })).toEqual(defaults);
      for (const value of [-1, 0.5, Number.NaN, Infinity, 2 ** 31, '1000', undefined]) {
        expect(() => constants({ [name]: value as number })).toThrow(bad);
      }
    },
  );

  it('has no constant that it does not have', () => {
    for (const name of ['leese', 'constructor', '__proto__', 'toString']) {
      expect(() => constants(JSON.parse(`{"${name}": 1}`) as Partial<Constants>)).toThrow(bad);
    }
  });

  it('keeps bounds: a grace fits its 16 bits, and a frame carries something that every link takes', () => {
    expect(constants({ killGrace: 0, frame: 64 })).toMatchObject({ killGrace: 0, frame: 64 });
    for (const changes of [{ killGrace: 65_536 }, { frame: 63 }, { frame: 65_537 }, { inFlight: 63 }, { lease: 0 }]) {
      expect(() => constants(changes)).toThrow(bad);
    }
  });

  it('has defaults that fit each other', () => {
    expect(defaults.suspectAfter * defaults.heartbeat).toBeLessThan(defaults.lease);
    expect(defaults.lease).toBeLessThan(defaults.vouch);
    expect(defaults.stillWanted * 2).toBeLessThan(defaults.ackWait);
    expect(defaults.inFlight).toBeGreaterThanOrEqual(4 * defaults.frame);
    expect(defaults.inFlightMax).toBeGreaterThanOrEqual(defaults.inFlight);
  });
});

it('the coordinator’s bound is 1.1 leases and the time of a kill', () => {
  expect(surelyDeadAfter(constants())).toBe(6_000);
  expect(surelyDeadAfter(constants({ lease: 1_000, kill: 100 }))).toBe(1_200);
});
