import { describe, expect, it } from "vitest";
import { seeded } from "../../src/testing/chance.js";
import { down } from "../../src/testing/faults.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { readClaims } from "../../src/token/claims.js";
import { DAY, HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

describe("short and long lives", () => {
  it("R12 X1 a 30-day token overflows no timer: the early first refresh, and then one after more than 24 days", async () => {
    const stage = scene({ server: { accessSeconds: 30 * 24 * 3600 }, http: true });
    const app = await stage.signedIn();
    await stage.clock.advance(14 * DAY);
    expect(stage.server.stats.attempts).toBe(1);
    const first = stage.server.tokenCalls[0]?.at ?? 0;
    await stage.clock.advance(31 * DAY);
    expect(stage.server.stats.attempts).toBe(2);
    const second = stage.server.tokenCalls[1]?.at ?? 0;
    expect((second - first) / DAY).toBeGreaterThan(24);
    expect((second - first) / DAY).toBeLessThan(28.6);
    expect(await stage.call(app)).toBe(200);
  });

  it("R12 a refresh planned beyond 2^31 ms with an own lead happens once, when it is due", async () => {
    const stage = scene({ server: { accessSeconds: 60 * 24 * 3600 }, session: { lead: DAY } });
    const app = await stage.signedIn();
    await stage.clock.advance(59 * DAY - MINUTE);
    expect(stage.server.stats.attempts).toBe(0);
    await stage.clock.advance(2 * MINUTE);
    expect([stage.server.stats.attempts, stage.serial(app)]).toEqual([1, 2]);
  });

  it.each([60, 5, 3])("R13 X2 tokens of %i seconds are normal: one refresh for each, never an expired one", async (accessSeconds) => {
    const stage = scene({ server: { accessSeconds }, world: { chance: seeded(accessSeconds) }, http: true });
    const app = await stage.signedIn();
    const lives = 30;
    for (let step = 0; step < lives * 2; step += 1) {
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance((accessSeconds * SECOND) / 2);
    }
    const { refreshes, apiUnauthorized, reused } = stage.server.stats;
    expect([apiUnauthorized, reused]).toEqual([0, 0]);
    expect(refreshes).toBeGreaterThanOrEqual(lives);
    // Instants in a JWT are whole seconds: the shortest lives lose much of their last one.
    expect(refreshes).toBeLessThanOrEqual(lives / 0.5);
  });

  it.each([60, 5])("R13 a lead of two minutes shrinks for tokens of %i seconds: one refresh per token", async (accessSeconds) => {
    const stage = scene({ server: { accessSeconds }, session: { lead: 2 * MINUTE, jitter: 10 * SECOND } });
    const app = await stage.signedIn();
    await stage.clock.advance(20 * accessSeconds * SECOND);
    expect(stage.server.stats.refreshes).toBeGreaterThanOrEqual(20);
    expect(stage.server.stats.refreshes).toBeLessThanOrEqual(40);
    expect(await stage.call(app)).toBe(200);
  });

  it("a token that might be dead on arrival is not sent any more: a renewal is waited for, or a typed error comes", async () => {
    const stage = scene({ server: { accessSeconds: 60 }, session: { lead: 10 * SECOND } });
    const app = await stage.open();
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    const { expiresAt } = app.bare.getSnapshot();
    stage.server.fault = down();
    await stage.clock.advance((expiresAt ?? 0) - stage.clock.now() - 2 * SECOND);
    expect([stage.serial(app), await stage.call(app)]).toEqual([1, 200]);
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), await stage.outcome(app.session.getToken())]).toEqual([null, "server"]);
    stage.server.fault = null;
    await stage.clock.advance(2 * SECOND);
    expect([await stage.call(app), stage.server.stats.apiUnauthorized]).toEqual([200, 0]);
  });

  it("R13 a server that only gives out dying tokens is not hammered", async () => {
    const stage = scene({ server: { accessSeconds: 1 } });
    await stage.signedIn();
    await stage.clock.advance(MINUTE);
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(60 / 0.2);
    expect(stage.server.stats.maximumInFlight).toBe(1);
  });

  it("R14 the scheduler and getToken share one rule: a token that is due but valid is served, and its refresh goes on behind", async () => {
    const stage = scene({ session: { lead: 5 * MINUTE } });
    const app = await stage.signedIn();
    const { refreshDueAt, expiresAt } = app.bare.getSnapshot();
    expect((expiresAt ?? 0) - (refreshDueAt ?? 0)).toBe(5 * MINUTE);
    // The timer did not run: the device slept, and nobody told the page.
    await stage.clock.sleep(56 * MINUTE);
    const served = app.session.getToken();
    expect(stage.server.grants.serialOf(await stage.clock.until(served, 0))).toBe(1);
    await stage.clock.advance(SECOND);
    expect([stage.server.stats.refreshes, stage.serial(app)]).toEqual([1, 2]);
  });

  it("R14 jitter only refreshes earlier", async () => {
    for (const [chance, minutes] of [
      [0, 5],
      [0.5, 7.5],
      [0.999_999, 10],
    ] as const) {
      const stage = scene({ session: { lead: 5 * MINUTE, jitter: 5 * MINUTE }, world: { chance: () => chance } });
      const { refreshDueAt, expiresAt } = (await stage.signedIn()).bare.getSnapshot();
      expect(((expiresAt ?? 0) - (refreshDueAt ?? 0)) / MINUTE).toBeCloseTo(minutes, 2);
    }
  });

  it("R14 the tab that commits draws the due moment once: all tabs plan the same one", async () => {
    const stage = scene({ world: { chance: seeded(5) } });
    const first = await stage.signedIn();
    const others = [await stage.open(), await stage.open(), await stage.open()];
    await stage.clock.until(first.session.refresh());
    await stage.clock.advance(SECOND);
    const planned = [first, ...others].map((app) => app.bare.getSnapshot().refreshDueAt);
    expect(new Set(planned).size).toBe(1);
  });

  it("J11 a lead function is asked for each token, with its lifetime, expiry and claims", async () => {
    const seen: unknown[] = [];
    const stage = scene({
      session: {
        lead: ({ lifetime, expiresAt, claims }) => {
          seen.push([lifetime, expiresAt > 0, claims?.sub]);
          return MINUTE;
        },
      },
    });
    await stage.signedIn();
    await stage.clock.advance(2 * HOUR);
    expect(stage.server.stats.refreshes).toBe(2);
    expect(seen.slice(0, 3)).toEqual([
      [HOUR, true, "ada"],
      [HOUR, true, "ada"],
      [HOUR, true, "ada"],
    ]);
  });

  it("J12 a token that is overdue when it comes is refreshed at once", async () => {
    const stage = scene();
    const tokens = stage.server.signIn();
    await stage.clock.sleep(59 * MINUTE + 55 * SECOND);
    const { access_token, refresh_token } = tokens;
    const app = await stage.signedIn({}, { access_token, refresh_token });
    await stage.clock.advance(5 * SECOND);
    expect([stage.server.stats.refreshes, stage.serial(app)]).toEqual([1, 2]);
  });
});

describe("odd lives", () => {
  it.each(["9223372036854775807", Number.MAX_SAFE_INTEGER, 1e13])("expires_in %s, which means never, survives a reload", async (never) => {
    const stage = scene({ session: { readClaims: false } });
    const app = await stage.signedIn({}, { ...stage.server.signIn(), expires_in: never });
    await stage.clock.advance(HOUR);
    app.tab.close();
    const reloaded = await stage.open();
    expect([reloaded.status(), reloaded.tab.reports, await stage.call(reloaded)]).toEqual(["signed-in", [], 200]);
  });

  it.each(["9223372036854775807", Number.MAX_SAFE_INTEGER, 1e13])(
    "R65 session_expires_in %s, which means never, survives a reload",
    async (never) => {
      const stage = scene();
      const app = await stage.signedIn();
      const sibling = await stage.open();
      stage.server.grants.options.response = { session_expires_in: never };
      await stage.clock.until(app.session.refresh());
      await stage.clock.advance(SECOND);
      app.tab.close();
      const reloaded = await stage.open();
      expect([sibling.status(), reloaded.status(), reloaded.tab.reports]).toEqual(["signed-in", "signed-in", []]);
    },
  );

  it.each([false, true])("R16 a server that copies iat from the refresh token hands out no dead tokens (rotates: %s)", async (rotates) => {
    const stage = scene();
    const now = () => Math.floor(stage.clock.worldNow() / SECOND);
    let calls = 0;
    let iat = now();
    const access = () => makeJwt({ user_id: 7, iat, exp: now() + 300, jti: `${calls}` });
    const refresh = () => {
      calls += 1;
      const accessToken = access();
      if (rotates) iat = now();
      return { accessToken };
    };
    const app = await stage.signedIn({ name: "app", refresh }, { access_token: access() });
    for (let step = 0; step < 240; step += 1) {
      const token = await stage.clock.until(app.session.getToken());
      expect(readClaims(token as string)?.exp).toBeGreaterThan(now());
      await stage.clock.advance(MINUTE);
    }
    expect(calls).toBeLessThan(70);
  });

  it("R65 an opaque token that is prolonged under the same name serves, and is renewed when it has expired, too", async () => {
    const stage = scene();
    const refresh = () => ({ accessToken: "opaque", expiresIn: 3_600 });
    const app = await stage.signedIn({ name: "app", refresh }, { access_token: "opaque", expires_in: 3_600 });
    await stage.clock.advance(3 * HOUR);
    expect([await stage.outcome(app.session.getToken()), app.bare.getSnapshot().degraded]).toEqual(["opaque", false]);
    await stage.clock.sleep(2 * HOUR);
    expect(await stage.outcome(app.session.getToken())).toBe("opaque");
  });

  it("R13 R16 a server that gives the same, expired token again and again is not asked every second", async () => {
    const stage = scene();
    let calls = 0;
    const { access_token } = stage.server.signIn();
    const refresh = () => {
      calls += 1;
      return { accessToken: access_token, expiresIn: 3_600 };
    };
    const app = await stage.signedIn({ name: "app", refresh }, { access_token, expires_in: 3_600 });
    await stage.clock.advance(HOUR + MINUTE);
    const before = calls;
    await stage.clock.advance(10 * MINUTE);
    expect(calls - before).toBeGreaterThan(2);
    expect(calls - before).toBeLessThan(20);
    expect(app.payloads("refresh-failed").at(-1)?.error.code).toBe("invalid-response");
  });
});

describe("opaque tokens", () => {
  it("R17 use expires_in, and show the id token's claims", async () => {
    const idToken = makeJwt({ sub: "ada", name: "Ada" });
    const stage = scene({ server: { format: "opaque", accessSeconds: 600, response: { id_token: idToken } } });
    const app = await stage.signedIn();
    expect(app.bare.getSnapshot().claims).toMatchObject({ name: "Ada" });
    await stage.clock.advance(10 * MINUTE);
    expect(stage.server.stats.refreshes).toBeGreaterThanOrEqual(1);
    expect(await stage.call(app)).toBe(200);
  });

  it("R17 without expires_in are refreshed only on 401; nothing throws", async () => {
    const stage = scene({ server: { format: "opaque", tellsLifetime: false } });
    const app = await stage.signedIn();
    expect(app.bare.getSnapshot()).toMatchObject({ expiresAt: null, refreshDueAt: null, claims: null, status: "signed-in" });
    await stage.clock.advance(2 * HOUR);
    expect(stage.server.stats.attempts).toBe(0);
    expect(await stage.call(app)).toBe(200);
    expect(stage.server.stats).toMatchObject({ refreshes: 1, apiUnauthorized: 1 });
  });

  it("R17 with readClaims off a JWT counts as opaque", async () => {
    const stage = scene({ server: { accessSeconds: 600, tellsLifetime: false }, session: { readClaims: false } });
    const app = await stage.signedIn();
    expect(app.bare.getSnapshot()).toMatchObject({ expiresAt: null, claims: null });
  });
});
