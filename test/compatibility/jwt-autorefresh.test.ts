import { describe, expect, it } from "vitest";
import { type AutorefreshSettings, autorefresh } from "../../src/index.js";
import { Clock } from "../../src/testing/clock.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { World } from "../../src/testing/world.js";

const MINUTE = 60_000;

/** A page, a server that gives one-hour tokens, and what it was asked, in minutes since the start. */
function setUp(settings: Partial<AutorefreshSettings> = {}) {
  const clock = new Clock(2);
  const tab = new World({ clock }).tab();
  const begun = clock.worldNow();
  const asked: number[] = [];
  const token = (claims: Record<string, unknown> = {}) => {
    const iat = Math.floor(clock.worldNow() / 1000);
    return makeJwt({ sub: "ada", iat, exp: iat + 3600, ...claims });
  };
  const refresh = () => {
    asked.push(Math.round((clock.worldNow() - begun) / MINUTE));
    return token();
  };
  const start = autorefresh({ refresh, leadSeconds: 600, environment: tab.environment, ...settings });
  const overdue = () => {
    const now = Math.floor(clock.worldNow() / 1000);
    return token({ iat: now - 3660, exp: now - 60 });
  };
  return { clock, tab, asked, token, overdue, start };
}

describe("jwt-autorefresh's settings", () => {
  it("J1 J5 J9 give a function that starts, and that gives its cancel", () => {
    const { start, token, tab } = setUp();
    const cancel = start(token());
    expect(typeof cancel).toBe("function");
    cancel();
    expect(tab.timers.size).toBe(0);
  });

  it("J2 J3 without settings, or without refresh: a TypeError that says so", () => {
    expect(() => autorefresh(undefined as never)).toThrow(new TypeError("autorefresh: refresh must be a function"));
    expect(() => autorefresh({ leadSeconds: 60 } as never)).toThrow(TypeError);
  });

  it("J4 without a lead there is a default; theirs throws, but nobody has to know a good one", async () => {
    const clock = new Clock(2);
    const tab = new World({ clock }).tab();
    let asked = 0;
    const iat = Math.floor(clock.worldNow() / 1000);
    const refresh = () => {
      asked += 1;
      return makeJwt({ iat: iat + 3600, exp: iat + 7200 });
    };
    const cancel = autorefresh({ refresh, environment: tab.environment })(makeJwt({ iat, exp: iat + 3600 }));
    await clock.advance(60 * MINUTE);
    expect(asked).toBeGreaterThan(0);
    cancel();
  });

  it.each([-1, Number.NaN, "60", null])("J4 J7 a lead of %s is a TypeError", (leadSeconds) => {
    expect(() => setUp({ leadSeconds: leadSeconds as never })).toThrow(/leadSeconds must be seconds, not below 0/);
  });

  it("J7 a lead function that gives a negative number is reported once and the default stands in; theirs throws out of a timer", async () => {
    const { start, token, clock, tab, asked } = setUp({ leadSeconds: () => -5 });
    const cancel = start(token());
    await clock.advance(3 * 60 * MINUTE);
    expect(tab.reports.map(({ message }) => message)).toEqual([expect.stringMatching(/lead\(\) must return milliseconds, not below 0/)]);
    expect(asked.length).toBeGreaterThan(1);
    cancel();
  });

  it("J6 a refresh that is due at once and throws: nothing comes out of a timer, and it is tried again", async () => {
    let asked = 0;
    const { start, overdue, clock } = setUp({
      refresh() {
        asked += 1;
        throw new Error("own bug");
      },
    });
    const cancel = start(overdue());
    await clock.advance(10 * MINUTE);
    expect(asked).toBeGreaterThan(1);
    cancel();
  });

  it("J8 a token that expires before it is valid: a clear error from start", () => {
    const { start, token } = setUp();
    expect(() => start(token({ nbf: 9e9, exp: 8e9 }))).toThrow(/expires before it is valid/);
    expect(() => start("opaque")).toThrow(/expected a JWT with an exp/);
  });

  it("J10 cancel returns nothing", () => {
    const { start, token } = setUp();
    expect(start(token())()).toBeUndefined();
  });

  it("J11 the lead is asked anew for each token, in seconds", async () => {
    const leads = [600, 1200, 1800];
    const { start, token, clock, asked } = setUp({ leadSeconds: () => leads.shift() ?? 1800 });
    const cancel = start(token());
    await clock.advance(125 * MINUTE);
    expect(asked).toEqual([50, 90, 120]);
    cancel();
  });

  it("J12 an overdue token is refreshed at once, and so is one that is within the lead", async () => {
    for (const left of [-60, 300]) {
      const { start, token, clock, asked } = setUp();
      const now = Math.floor(clock.worldNow() / 1000);
      const cancel = start(token({ iat: now + left - 3600, exp: now + left }));
      await clock.advance(5_000);
      expect(asked).toEqual([0]);
      cancel();
    }
  });

  it("J13 refresh may return a promise of a string", async () => {
    const { clock, tab, token } = setUp();
    let asked = 0;
    const refresh = async () => {
      asked += 1;
      return token();
    };
    const cancel = autorefresh({ refresh, leadSeconds: 600, environment: tab.environment })(token());
    await clock.advance(105 * MINUTE);
    expect(asked).toBe(2);
    cancel();
  });

  it.each(["cancelled", "not cancelled"])("J14 started again with a new token, %s: there is one timer", async (way) => {
    const { start, token, clock, tab, asked } = setUp();
    const first = start(token());
    await clock.advance(10 * MINUTE);
    if (way === "cancelled") first();
    const cancel = start(token());
    await clock.advance(55 * MINUTE);
    expect([asked, tab.timers.size]).toEqual([[60], 1]);
    cancel();
  });

  it("J15 cancelled during a refresh it stays cancelled", async () => {
    let asked = 0;
    const { start, token, overdue, clock, tab } = setUp({
      async refresh() {
        asked += 1;
        await clock.pause(5_000);
        return token();
      },
    });
    const cancel = start(overdue());
    await clock.advance(2_000);
    cancel();
    await clock.advance(3 * 60 * MINUTE);
    expect([asked, tab.timers.size]).toEqual([1, 0]);
  });
});
