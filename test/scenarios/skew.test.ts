import { describe, expect, it } from "vitest";
import { between, seeded } from "../../src/testing/chance.js";
import { answers, down } from "../../src/testing/faults.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { readClaims } from "../../src/token/claims.js";
import type { RefreshContext, TokenResponse } from "../../src/types/index.js";
import type { App } from "../support/app.js";
import { DAY, HOUR, MINUTE, type Scene, SECOND, scene, strategy } from "../support/scene.js";

const SKEWS = { "1 h fast": HOUR, "1 h slow": -HOUR, "2 h fast": 2 * HOUR, "2 h slow": -2 * HOUR, "1 day fast": DAY, "1 day slow": -DAY };

describe("a device clock that is wrong", () => {
  it.each(Object.entries(SKEWS))("R16 X13 %s from the start: no storm, no null, no stale token", async (_, skew) => {
    const stage = scene({ http: true });
    stage.clock.jump(skew);
    const app = await stage.signedIn();
    for (let step = 0; step < 24; step += 1) {
      expect(await stage.clock.until(app.session.getToken())).not.toBeNull();
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance(10 * MINUTE);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(6);
    expect(stage.server.stats).toMatchObject({ apiUnauthorized: 0, reused: 0 });
  });

  it.each(Object.entries(SKEWS))("R16 %s in the middle of a session: at most one refresh more, at most one 401", async (_, skew) => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.advance(10 * MINUTE);
    stage.clock.jump(skew);
    app.tab.signal("wake");
    for (let step = 0; step < 24; step += 1) {
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance(10 * MINUTE);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(7);
    expect(stage.server.stats.apiUnauthorized).toBeLessThanOrEqual(1);
    expect(stage.server.stats.reused).toBe(0);
  });

  it.each(Object.entries(SKEWS))("R16 %s, opened anew from the ledger: signed in, no storm", async (_, skew) => {
    const stage = scene();
    const first = await stage.signedIn();
    first.tab.close();
    stage.clock.jump(skew);
    const app = await stage.open();
    for (let step = 0; step < 12; step += 1) {
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance(10 * MINUTE);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(5);
    expect(stage.server.stats.apiUnauthorized).toBeLessThanOrEqual(1);
  });

  it("R16 a sign-in with a bare JWT on a fast clock causes one refresh and no loop", async () => {
    const stage = scene();
    stage.clock.jump(2 * HOUR);
    const { access_token, refresh_token } = stage.server.signIn();
    const app = await stage.signedIn({}, { access_token, refresh_token });
    await stage.clock.advance(20 * MINUTE);
    expect(await stage.call(app)).toBe(200);
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(2);
  });

  it("R16 R18 a tab that missed a jump and its correction goes by the time of those that wrote the ledger", async () => {
    const stage = scene();
    const witness = await stage.signedIn();
    const other = await stage.open();
    other.tab.freeze();
    stage.clock.jump(2 * HOUR);
    stage.server.faults.push(down());
    witness.tab.signal("wake");
    await stage.clock.advance(SECOND);
    stage.clock.jump(-2 * HOUR);
    witness.tab.signal("wake");
    await stage.clock.advance(SECOND);
    expect(witness.count("refresh-failed")).toBe(1);
    witness.tab.close();
    other.tab.thaw();
    other.tab.show();
    await stage.clock.advance(MINUTE);
    expect(stage.serial(other)).toBe(2);
  });

  it("R16 a clock that jumps to and fro every few minutes makes no storm", async () => {
    const stage = scene({ world: { chance: seeded(11) } });
    const app = await stage.signedIn();
    const jump = between(seeded(12), -2 * HOUR, 2 * HOUR);
    for (let step = 0; step < 36; step += 1) {
      stage.clock.jump(jump());
      app.tab.signal("wake");
      await stage.clock.advance(5 * MINUTE);
      expect(await stage.call(app)).toBe(200);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(40);
    expect(stage.server.stats).toMatchObject({ reused: 0 });
    await stage.clock.advance(SECOND);
    expect(app.status()).toBe("signed-in");
  });

  it("R21 a date in Retry-After counts by the device's clock, though that was ahead once", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.clock.jump(2 * HOUR);
    await stage.clock.until(app.session.refresh());
    stage.clock.jump(-2 * HOUR);
    await stage.clock.advance(SECOND);
    stage.server.faults.push(answers(503, {}, { "retry-after": new Date(stage.clock.now() + 5 * MINUTE).toUTCString() }));
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(10 * SECOND);
    expect([await stage.outcome(app.session.refresh()), stage.server.stats.attempts]).toEqual(["throttled", 2]);
  });

  it("R16 retryAt of refresh-failed is on the device's clock, as refreshDueAt is", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.clock.jump(-HOUR);
    stage.server.fault = down();
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(100);
    const [failed] = app.payloads("refresh-failed");
    expect(failed?.retryAt).toBeGreaterThan(stage.clock.now());
    expect(failed?.retryAt).toBeLessThanOrEqual(stage.clock.now() + HOUR);
    expect(failed?.retryAt).toBe(app.bare.getSnapshot().refreshDueAt);
  });
});

describe("R68 a JWT with exp and neither iat nor expires_in", () => {
  /** Answers that say until when, and not how long. */
  const untimed = (stage: Scene, lives = HOUR) => {
    const well = strategy();
    return {
      ...well,
      async refresh(context: RefreshContext) {
        const { refresh_token } = (await well.refresh(context)) as TokenResponse;
        return { refresh_token, access_token: makeJwt({ sub: "ada", client_id: "spa", exp: (stage.clock.worldNow() + lives) / SECOND }) };
      },
    };
  };
  /** In whole seconds. */
  const life = (app: App) => Math.ceil(((app.bare.getSnapshot().expiresAt ?? Infinity) - app.tab.environment.now()) / SECOND) * SECOND;

  it.each(["", ", signed out", ", signed out and opened anew"])(
    "is judged by the device's clock though that was ahead once%s",
    async (end) => {
      const stage = scene();
      const refresh = untimed(stage);
      let app = await stage.signedIn({ refresh });
      stage.clock.jump(2 * HOUR);
      await stage.clock.until(app.session.refresh());
      // By the device it has passed: nobody can tell.
      expect(life(app)).toBe(5 * MINUTE);
      stage.clock.jump(-2 * HOUR);
      await stage.clock.advance(SECOND);
      if (end) await stage.clock.until(app.session.signOut());
      if (end.endsWith("anew")) {
        app.tab.close();
        app = await stage.open({ refresh });
      }
      if (end) await stage.clock.until(app.session.signIn(stage.server.signIn()));
      await stage.clock.until(app.session.refresh());
      expect(life(app)).toBeGreaterThan(HOUR - MINUTE);
      expect(life(app)).toBeLessThanOrEqual(HOUR);
    },
  );

  it("is not handed out for more than five minutes after it has died", async () => {
    const stage = scene();
    const app = await stage.signedIn({ refresh: untimed(stage, 20 * MINUTE) });
    stage.clock.jump(3 * HOUR);
    await stage.clock.until(app.session.refresh());
    for (let step = 0; step < 48; step++) {
      const token = await stage.clock.until(app.session.getToken());
      const { exp } = readClaims(token as string) as { exp: number };
      expect(exp * SECOND - stage.clock.worldNow()).toBeGreaterThan(-5 * MINUTE);
      await stage.clock.advance(5 * MINUTE);
    }
    // Every five minutes, less a little.
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(70);
  });

  it("that is signed in with, and seems to have expired, serves for five minutes, and the server is asked", async () => {
    const stage = scene();
    stage.clock.jump(2 * HOUR);
    const { refresh_token } = stage.server.signIn();
    const access_token = makeJwt({ sub: "ada", client_id: "spa", exp: (stage.clock.worldNow() + HOUR) / SECOND });
    stage.server.latency = { before: () => SECOND, after: () => SECOND };
    const app = await stage.open();
    await stage.clock.until(app.session.signIn({ access_token, refresh_token }));
    expect([life(app), app.bare.peekToken()]).toEqual([5 * MINUTE, access_token]);
    await stage.clock.advance(5 * SECOND);
    expect([stage.server.stats.refreshes, await stage.call(app)]).toEqual([1, 200]);
  });

  it("and no way to be renewed ends the session after five minutes that it seems to have expired for", async () => {
    const stage = scene();
    stage.clock.jump(2 * HOUR);
    const app = await stage.open();
    await stage.clock.until(app.session.signIn(makeJwt({ sub: "ada", exp: stage.clock.worldNow() / SECOND })));
    await stage.clock.advance(4 * MINUTE);
    expect(app.status()).toBe("signed-in");
    await stage.clock.advance(2 * MINUTE);
    expect(app.status()).toBe("signed-out: expired");
  });
});
