import { describe, expect, it } from "vitest";
import { fixed } from "../../src/testing/chance.js";
import { answers, down, type Fault, html, throttled, unreachable } from "../../src/testing/faults.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

const TRANSIENT: Record<string, Fault> = {
  "a network error": unreachable,
  "408": down(408),
  "500": down(500),
  "503": down(503),
  "an HTML 403 from a proxy": html(403),
  "an HTML 401": html(401),
  "an HTML 400": html(400),
  "a captive portal's HTML 200": html(200),
  "a 200 without JSON": { processed: false, instead: { status: 200, headers: { "content-type": "application/json" }, body: "{not json" } },
  "an empty 200": { processed: false, instead: { status: 200 } },
  "a 200 without a token": answers(200, { ok: true }),
  "429 without Retry-After": answers(429, { error: "slow_down" }),
  "404": down(404),
  "a token of another type": answers(200, { access_token: "dpop-bound", token_type: "DPoP", expires_in: 60 }),
};

describe("not now", () => {
  it.each(Object.entries(TRANSIENT))("R18 R19 X9 %s at renewal keeps the session, and a later attempt renews it", async (_, fault) => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    const app = await stage.signedIn();
    stage.server.faults.push(fault);
    await stage.clock.advance(50 * MINUTE + SECOND / 2);
    expect([stage.server.stats.attempts, app.status(), app.bare.getSnapshot().degraded]).toEqual([1, "signed-in", true]);
    expect(await stage.call(app)).toBe(200);
    await stage.clock.advance(10 * MINUTE);
    expect([app.status(), stage.serial(app), app.bare.getSnapshot().degraded]).toEqual(["signed-in", 2, false]);
  });

  it.each(Object.entries(TRANSIENT))(
    "R18 R39 %s after expiry: getToken rejects with a typed error, and the session stays",
    async (_, fault) => {
      const stage = scene();
      const app = await stage.signedIn();
      await stage.clock.sleep(2 * HOUR);
      stage.server.fault = fault;
      const error = await stage.clock.until(
        app.session.getToken().catch((reason: unknown) => reason),
        30_000,
      );
      expect(error).toMatchObject({ name: "SessionError", code: expect.any(String) as string, attempt: 1 });
      expect(["rejected", "signed-out"]).not.toContain((error as { code: string }).code);
      expect(app.status()).toBe("signed-in");
      stage.server.fault = null;
      await stage.clock.advance(3 * MINUTE);
      expect(await stage.call(app)).toBe(200);
    },
  );

  it("R18 retries back off up to a cap while the server is down", async () => {
    const stage = scene({ world: { chance: fixed(0.5) } });
    const app = await stage.signedIn();
    stage.server.fault = down();
    await stage.clock.sleep(2 * HOUR);
    app.tab.signal("wake");
    await stage.clock.advance(2 * HOUR);
    const gaps = stage.server.tokenCalls.map(({ at }, index, all) => at - (all[index - 1]?.at ?? at)).slice(1);
    expect(gaps[0]).toBeLessThan(10 * SECOND);
    expect(gaps[1]).toBeGreaterThan(MINUTE);
    expect(gaps.at(-1)).toBeGreaterThan(4 * MINUTE);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(6.5 * MINUTE);
    expect(Math.min(...gaps)).toBeGreaterThan(4 * SECOND);
    expect(app.status()).toBe("signed-in");
  });

  it("R18 a call that comes in a short pause waits for the next attempt, and is not sent with a token that has died", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.faults.push(down());
    await stage.clock.sleep(2 * HOUR);
    expect(await stage.outcome(app.session.getToken())).toBe("server");
    await stage.clock.advance(100);
    expect([await stage.call(app), stage.server.stats.apiUnauthorized, stage.server.stats.attempts]).toEqual([200, 0, 2]);
  });

  it("R18 calls that need a token do not hammer a server that is down", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.fault = down();
    await stage.clock.sleep(2 * HOUR);
    for (let call = 0; call < 300; call += 1) {
      await stage.outcome(app.session.getToken());
      await stage.clock.advance(SECOND);
    }
    expect(stage.server.stats.attempts).toBeLessThan(30);
  });

  it("R18 invalid_client and its like are configuration errors: no loop, signed in until expiry", async () => {
    for (const error of ["invalid_client", "invalid_scope", "unauthorized_client", "unsupported_grant_type"]) {
      const stage = scene({ session: { lead: 10 * MINUTE } });
      const app = await stage.signedIn();
      stage.server.fault = answers(error === "invalid_client" ? 401 : 400, { error });
      await stage.clock.advance(59 * MINUTE);
      expect([stage.server.stats.attempts, app.status()]).toEqual([1, "signed-in"]);
      expect(app.payloads("refresh-failed")[0]?.error).toMatchObject({ code: "configuration" });
    }
  });
});

describe("throttled", () => {
  it("R21 X6 429 with Retry-After 30 at renewal: signed in, no request before 30 s from any tab, then one", async () => {
    const stage = scene({ server: { accessSeconds: 60 }, session: { lead: 10 * SECOND } });
    const app = await stage.signedIn();
    const sibling = await stage.open();
    stage.server.faults.push(throttled(30));
    await stage.clock.advance(51 * SECOND);
    expect(stage.server.stats.attempts).toBe(1);
    for (let second = 0; second < 28; second += 1) {
      for (const one of [app, sibling]) {
        void one.session.getToken().catch(() => {});
        void one.session.refresh().catch(() => {});
        one.tab.signal("online");
      }
      await stage.clock.advance(SECOND);
    }
    expect([stage.server.stats.attempts, app.status(), sibling.status()]).toEqual([1, "signed-in", "signed-in"]);
    await stage.clock.advance(6 * SECOND);
    expect([stage.server.stats.attempts, stage.serial(app), stage.serial(sibling)]).toEqual([2, 2, 2]);
  });

  it("R21 R39 a call during the cool-off is told how long it lasts", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(throttled(30));
    const first = await stage.clock.until(app.session.getToken().catch((error: unknown) => error));
    expect(first).toMatchObject({ code: "throttled", status: 429, retryAfter: 30_000 });
    await stage.clock.advance(10 * SECOND);
    const second = (await stage.clock.until(app.session.getToken().catch((error: unknown) => error))) as { retryAfter: number };
    expect(second).toMatchObject({ code: "throttled" });
    expect(second.retryAfter).toBeGreaterThan(15_000);
    expect(second.retryAfter).toBeLessThan(25_000);
  });

  it("R21 Retry-After as a date, and with a 503, counts as well", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(answers(503, { error: "maintenance" }, { "retry-after": "60" }));
    expect(await stage.outcome(app.session.getToken())).toBe("throttled");
    await stage.clock.advance(50 * SECOND);
    expect(stage.server.stats.attempts).toBe(1);
    await stage.clock.advance(20 * SECOND);
    expect(stage.server.stats.attempts).toBe(2);
  });
});

describe("R70 a token endpoint that redirects", () => {
  const redirect: Fault = { processed: false, instead: { status: 307, headers: { location: "https://elsewhere.test/login?a=b" } } };

  it.each([false, true])("is tried again by the usual pace, warned of once, and nothing counts as lost; by HTTP: %s", async (http) => {
    const stage = scene({ http });
    const app = await stage.signedIn();
    stage.server.fault = redirect;
    await stage.clock.advance(2 * HOUR);
    expect(app.status()).toBe("signed-in");
    expect(stage.server.stats.attempts).toBeGreaterThan(3);
    expect(app.heard.at(-1)?.payload).toMatchObject({
      error: { code: "server", status: 307, lost: false },
      retryAt: expect.any(Number) as number,
    });
    expect(app.tab.reports.map(({ message }) => message)).toEqual([
      expect.stringMatching(/\/token redirects to https:\/\/elsewhere\.test, which is not followed$/),
    ]);
    stage.server.fault = answers(400, { error: "invalid_grant" });
    await stage.clock.advance(HOUR);
    expect(app.heard.find(({ event }) => event === "signed-out")?.payload).toMatchObject({
      reason: "rejected",
      possiblyLostRotation: false,
    });
  });
});
