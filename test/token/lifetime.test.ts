import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { between, fixed, seeded } from "../../src/testing/chance.js";
import { dueAfter, expiryIn, type LeadOptions, lifetimeOf, refreshFloor, safetyMargin } from "../../src/token/lifetime.js";

const NOW = Date.UTC(2030, 0, 1);
const inSeconds = NOW / 1000;
const complaints: string[] = [];

function due(lifetime: number, options: LeadOptions, { first = false, random = fixed(0.5) } = {}): number {
  const timing = { lifetime, expiresAt: NOW + lifetime, claims: null };
  return dueAfter(timing, first, options, { random, complain: (option) => complaints.push(option) });
}

describe("the lifetime of a token", () => {
  it("R16 is the difference of the server's own instants, however wrong this clock is", () => {
    for (const skew of [-86_400, -3_600, 0, 3_600, 86_400]) {
      expect(lifetimeOf({ iat: inSeconds + skew, exp: inSeconds + skew + 300 }, 999, NOW)).toBe(300_000);
    }
  });

  it("R65 is never more than expires_in: iat may be of the login, or of a token that the server has kept", () => {
    expect(lifetimeOf({ iat: inSeconds - 7_200, exp: inSeconds + 300 }, 300, NOW)).toBe(300_000);
    expect(lifetimeOf({ iat: 1, exp: inSeconds + 300 }, 300, NOW)).toBe(300_000);
    expect(
      lifetimeOf({ iat: inSeconds - 7_200, exp: inSeconds + 300, softexp: inSeconds + 60 }, 300, NOW, { expiryClaim: "softexp" }),
    ).toBe(300_000);
  });

  it("R17 is expires_in for an opaque token, and unknown without it", () => {
    expect(lifetimeOf(null, 60, NOW)).toBe(60_000);
    expect(lifetimeOf(null, undefined, NOW)).toBeUndefined();
    expect(lifetimeOf({ sub: "a" }, undefined, NOW)).toBeUndefined();
  });

  it("is what is left until exp when there is nothing better", () => {
    expect(lifetimeOf({ exp: inSeconds + 60 }, undefined, NOW)).toBe(60_000);
    expect(lifetimeOf({ exp: inSeconds - 60 }, 30, NOW)).toBe(30_000);
  });

  it.each([{ exp: "soon" }, { exp: Number.NaN }, { exp: null }, { exp: -1 }, { iat: 1 }, { iat: {}, exp: {} }])(
    "is unknown for %j",
    (claims) => {
      expect(lifetimeOf(claims, undefined, NOW)).toBeUndefined();
    },
  );

  it("R68 is five minutes where exp has passed and nothing else tells", () => {
    expect(lifetimeOf({ exp: inSeconds - 60 }, undefined, NOW)).toBe(300_000);
    expect(lifetimeOf({ exp: inSeconds }, undefined, NOW)).toBe(300_000);
    expect(lifetimeOf({ exp: inSeconds - 60, iat: inSeconds }, undefined, NOW)).toBe(300_000);
    expect(lifetimeOf({ exp: inSeconds - 60, iat: "soon" }, undefined, NOW)).toBe(300_000);
    expect(lifetimeOf({ softexp: inSeconds - 60 }, undefined, NOW, { expiryClaim: "softexp" })).toBe(300_000);
  });

  it("R65 is read from instants that are strings", () => {
    expect(lifetimeOf({ iat: `${inSeconds - 5}`, exp: `${inSeconds + 60}` }, 90, NOW)).toBe(65_000);
    expect(lifetimeOf({ exp: `${inSeconds + 60}` }, undefined, NOW)).toBe(60_000);
    expect(lifetimeOf({ exp: inSeconds + 60, softexp: `${inSeconds + 30}` }, undefined, NOW, { expiryClaim: "softexp" })).toBe(30_000);
    expect(expiryIn({ exp: ` ${inSeconds} ` }, "exp")).toBe(NOW);
  });

  it("R65 is read from instants in milliseconds, which no date in seconds is as large as", () => {
    expect(lifetimeOf({ exp: NOW + 60_000 }, undefined, NOW)).toBe(60_000);
    expect(lifetimeOf({ iat: NOW, exp: NOW + 60_000 }, undefined, NOW)).toBe(60_000);
    expect(lifetimeOf({ iat: inSeconds, exp: NOW + 60_000 }, 60, NOW)).toBe(60_000);
    expect(lifetimeOf({ exp: NOW - 60_000 }, 30, NOW)).toBe(30_000);
  });

  it.each([253_402_300_799, 32_503_680_001, 9.9e11, 1e18, 1e300])(
    "R65 is expires_in where exp is %d, and else as long as there is",
    (exp) => {
      for (const claims of [{ exp }, { exp, iat: inSeconds }]) {
        expect(lifetimeOf(claims, 300, NOW)).toBe(300_000);
        expect(lifetimeOf(claims, undefined, NOW)).toBe(1e12);
      }
      expect(lifetimeOf({ softexp: exp, exp: inSeconds + 60 }, 300, NOW, { expiryClaim: "softexp" })).toBe(300_000);
    },
  );

  it.each(["1h", "2030-01-01T00:00:00Z", 0, -1, {}, [inSeconds + 60], true, Number.NaN])(
    "R65 cannot be read from an exp of %j, which is said",
    (exp) => {
      const problems: string[] = [];
      expect(lifetimeOf({ exp }, 60, NOW, { complain: (problem) => problems.push(problem) })).toBe(60_000);
      expect(new Set(problems)).toEqual(new Set(["exp cannot be read, and is not used"]));
      expect(
        lifetimeOf({ softexp: exp, exp: inSeconds + 60 }, undefined, NOW, {
          expiryClaim: "softexp",
          complain: (problem) => problems.push(problem),
        }),
      ).toBe(60_000);
      expect(problems.at(-1)).toBe("softexp cannot be read, and is not used");
    },
  );

  it("R65 is not complained about where it is not there", () => {
    const complain = (problem: string) => expect.fail(problem);
    for (const claims of [null, {}, { exp: null }]) expect(lifetimeOf(claims, undefined, NOW, { complain })).toBeUndefined();
    expect(lifetimeOf({ exp: inSeconds + 60 }, undefined, NOW, { expiryClaim: "softexp", complain })).toBe(60_000);
  });

  it("does not believe a token that expires before it was issued", () => {
    expect(lifetimeOf({ iat: inSeconds + 60, exp: inSeconds }, 30, NOW)).toBe(30_000);
  });
});

describe("when a refresh is due", () => {
  it("lies between 79 and 88 % of the lifetime by default", () => {
    expect(due(100_000, {}, { random: fixed(0) })).toBeCloseTo(79_000);
    expect(due(100_000, {}, { random: fixed(0.999_999) })).toBeCloseTo(88_000, 0);
  });

  it("keeps a crowd that signed in together at an even load from the first second", () => {
    const random = seeded(1);
    const life = 3_600_000;
    // Buckets of a tenth of a life, over the lives 0 to 5, of the refreshes of 4,000 users who signed in at 0.
    const load = new Array<number>(50).fill(0);
    for (let user = 0; user < 4_000; user += 1) {
      let at = due(life, {}, { first: true, random });
      for (; at < 5 * life; at += due(life, {}, { random }))
        load[Math.floor(at / (life / 10))] = (load[Math.floor(at / (life / 10))] ?? 0) + 1;
    }
    const mean = load.reduce((sum, count) => sum + count) / load.length;
    for (const [bucket, count] of load.entries()) expect(Math.abs(count / mean - 1), `bucket ${bucket}`).toBeLessThan(0.3);
  });

  it("is expiry minus the lead minus a random part of the jitter", () => {
    expect(due(600_000, { lead: 60_000 })).toBe(540_000);
    expect(due(600_000, { lead: 60_000, jitter: 20_000 }, { random: fixed(0.25) })).toBe(535_000);
  });

  it("J11 asks lead and jitter functions anew each time, with the token's timing", () => {
    const seen: number[] = [];
    const lead = ({ lifetime }: { lifetime: number }) => {
      seen.push(lifetime);
      return lifetime / 10;
    };
    expect([due(600_000, { lead }), due(300_000, { lead })]).toEqual([540_000, 270_000]);
    expect(seen).toEqual([600_000, 300_000]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, "soon"])(
    "complains about a lead function that returns %s, and goes on without",
    (bad) => {
      complaints.length = 0;
      expect(due(100_000, { lead: () => bad as number })).toBeCloseTo(88_000);
      expect(complaints).toEqual([expect.stringMatching(/^lead\b/)]);
    },
  );

  it("complains about a lead function that throws, and goes on without", () => {
    complaints.length = 0;
    const lead = (): number => {
      throw new Error("no");
    };
    expect(due(100_000, { lead })).toBeCloseTo(88_000);
    expect(complaints).toEqual([expect.stringMatching(/^lead\b/)]);
  });

  it.each([60_000, 5_000, 3_000])("R13 shrinks a lead that is not shorter than the lifetime: %i ms", (lifetime) => {
    const moment = due(lifetime, { lead: 120_000, jitter: 10_000 });
    expect(moment).toBeGreaterThan(lifetime * 0.5);
    expect(moment).toBeLessThan(lifetime);
  });

  it("R13 R14 is after the floor and before expiry, and jitter makes it earlier only, for any lifetime, lead and jitter", () => {
    const any = fc.record({
      lifetime: fc.double({ min: 1_000, max: 31_536_000_000, noNaN: true }),
      lead: fc.option(fc.double({ min: 0, max: 1e10, noNaN: true }), { nil: undefined }),
      jitter: fc.option(fc.double({ min: 0, max: 1e10, noNaN: true }), { nil: undefined }),
      chance: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      first: fc.boolean(),
    });
    fc.assert(
      fc.property(any, ({ lifetime, lead, jitter, chance, first }) => {
        const moment = due(lifetime, { lead, jitter }, { first, random: fixed(chance) });
        expect(moment).toBeGreaterThanOrEqual(refreshFloor(lifetime));
        expect(moment).toBeLessThanOrEqual(lifetime);
        if (lead !== undefined) expect(moment).toBeLessThanOrEqual(Math.max(due(lifetime, { lead }), refreshFloor(lifetime)));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("small spans", () => {
  it("R13 have a floor between refreshes: 1 s, or a fifth of a short life", () => {
    expect([refreshFloor(3_600_000), refreshFloor(5_000), refreshFloor(3_000), refreshFloor(undefined)]).toEqual([
      1_000, 1_000, 600, 1_000,
    ]);
  });

  it("leave a token time to arrive, and a second for what a JWT rounds off", () => {
    expect([safetyMargin(3_600_000), safetyMargin(60_000), safetyMargin(3_000), safetyMargin(1_000)]).toEqual([5_000, 1_200, 1_000, 500]);
  });

  it("are drawn by a seeded source in these tests", () => {
    const draw = between(seeded(9), 10, 20);
    expect([draw(), draw(), draw()].every((value) => value >= 10 && value < 20)).toBe(true);
  });
});
