import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { demandDelay, type FailedAttempt, retryDelay } from "../../src/ledger/backoff.js";
import { fixed } from "../../src/testing/chance.js";
import { safetyMargin } from "../../src/token/lifetime.js";

const expired: FailedAttempt = { attempt: 1, validity: 0, lifetime: 3_600_000, lost: false, retryAfter: undefined };

describe("the pause after a failed attempt", () => {
  it("R18 is a matter of seconds after a sleep, of minutes after that, and grows with the outage, up to a cap", () => {
    const between = (failed: Partial<FailedAttempt>) =>
      [0, 0.999_999_9].map((chance) => Math.round(retryDelay({ ...expired, ...failed }, fixed(chance)) / 1000));
    expect(between({})).toEqual([5, 10]);
    expect(between({ attempt: 2 })).toEqual([74, 136]);
    expect(between({ attempt: 9, validity: -400_000 })).toEqual([140, 260]);
    expect(between({ attempt: 50, validity: -40_000_000 })).toEqual([210, 390]);
    expect(between({ attempt: 50, validity: -40_000_000, lifetime: 60_000 })).toEqual([11, 19]);
  });

  it("R18 waits, while the token is valid, until shortly before it expires", () => {
    for (const chance of [0, 0.5, 0.999]) {
      const delay = retryDelay({ ...expired, validity: 600_000 }, fixed(chance));
      expect(delay).toBeGreaterThanOrEqual(528_000);
      expect(delay).toBeLessThan(600_000 - safetyMargin(3_600_000));
    }
  });

  it("R23 is 1 to 2 s when an answer was lost for the first time, however many attempts failed otherwise", () => {
    expect(retryDelay({ ...expired, lost: true }, fixed(0))).toBe(1_000);
    expect(retryDelay({ ...expired, lost: true }, fixed(0.999))).toBeLessThanOrEqual(2_000);
    expect(retryDelay({ ...expired, lost: true, attempt: 2 }, fixed(0))).toBe(1_000);
    expect(retryDelay({ ...expired, lost: true, validity: 600_000 }, fixed(0))).toBe(1_000);
  });

  it("R21 is what the server asked for, and a little more so that not all come at once", () => {
    expect(retryDelay({ ...expired, retryAfter: 30_000 }, fixed(0))).toBe(30_000);
    expect(retryDelay({ ...expired, retryAfter: 30_000 }, fixed(0.999))).toBeLessThan(33_000);
    expect(retryDelay({ ...expired, retryAfter: 30_000, lost: true }, fixed(0))).toBe(30_000);
  });

  it("R64 is the usual one, and not less than what the server asked for, if that is less than five seconds", () => {
    expect(retryDelay({ ...expired, attempt: 2, retryAfter: 4_000 }, fixed(0))).toBe(73_500);
    expect(retryDelay({ ...expired, attempt: 2, retryAfter: 4_000, lifetime: 2_000 }, fixed(0))).toBe(4_000);
    expect(retryDelay({ ...expired, retryAfter: 5_000 }, fixed(0))).toBe(5_000);
  });

  it("R63 doubles from the tenth answer on that is neither tokens nor a refusal, up to an hour", () => {
    const minutes = (odd: number, changes: Partial<FailedAttempt> = {}) =>
      Math.round(retryDelay({ ...expired, attempt: odd, lifetime: 60_000, odd, ...changes }, fixed(0.5)) / 6_000) / 10;
    expect([2, 9, 10, 11, 12, 17, 18, 5_000].map((odd) => minutes(odd))).toEqual([0.3, 0.3, 0.5, 1, 2, 60, 60, 60]);
    // Never less than without it: nothing is missing while the token is valid.
    expect(minutes(12, { validity: 10_800_000, lifetime: 20_000_000 })).toBe(166.5);
  });

  it("is positive and finite for whatever may have failed", () => {
    const any = fc.record({
      attempt: fc.integer({ min: 1, max: 10_000 }),
      validity: fc.option(fc.double({ min: -1e10, max: 1e10, noNaN: true }), { nil: undefined }),
      lifetime: fc.option(fc.double({ min: 1_000, max: 1e11, noNaN: true }), { nil: undefined }),
      lost: fc.boolean(),
      retryAfter: fc.constant(undefined),
    });
    fc.assert(
      fc.property(any, fc.double({ min: 0, max: 0.999, noNaN: true }), (failed, chance) => {
        const delay = retryDelay(failed, fixed(chance));
        expect(delay).toBeGreaterThanOrEqual(Math.min(1_000, ((failed.lifetime ?? 6_000) / 4) * 0.7));
        expect(delay).toBeLessThanOrEqual(Math.max(390_000, failed.validity ?? 0));
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

describe("the pause for calls that need a token", () => {
  it("is short at first, so that a call after one 503 gets a token, and grows to a minute", () => {
    expect([1, 2, 3, 10].map((attempt) => demandDelay(attempt, 3_600_000))).toEqual([1_000, 4_000, 16_000, 60_000]);
    expect(demandDelay(1, 3_000)).toBe(600);
  });
});
