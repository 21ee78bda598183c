import { describe, expect, it } from "vitest";
import { fixed } from "../support/chance.js";
import {
  answers,
  down,
  type Fault,
  gatewayTimeout,
  hangs,
  hangsAfterRotating,
  html,
  lostAnswer,
  stalledBody,
  throttled,
  unreachable,
} from "../support/faults.js";
import { HOUR, MINUTE, SECOND, scene, strategy } from "../support/scene.js";

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
    expect(gaps.slice(0, 4).every((gap, index) => index === 0 || gap > (gaps[index - 1] ?? 0))).toBe(true);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(125 * SECOND);
    expect(Math.min(...gaps)).toBeGreaterThan(4 * SECOND);
    expect(app.status()).toBe("signed-in");
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

describe("rejected", () => {
  it.each([
    ["invalid_grant", answers(400, { error: "invalid_grant" })],
    ["an empty 400", { processed: false, instead: { status: 400 } } satisfies Fault],
    ["an empty 401", { processed: false, instead: { status: 401 } } satisfies Fault],
  ])("R19 %s after expiry ends the session, once", async (_, fault) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    const sibling = await stage.open();
    stage.server.fault = fault;
    await stage.clock.sleep(2 * HOUR);
    const asked = [app, app, sibling].map(({ session }) => session.getToken());
    expect(await stage.clock.until(Promise.all(asked))).toEqual([null, null, null]);
    await stage.clock.advance(MINUTE);
    for (const one of [app, sibling]) {
      expect([one.status(), one.count("signed-out")]).toEqual(["signed-out: rejected", 1]);
      expect(one.payloads("signed-out")).toEqual([{ reason: "rejected", possiblyLostRotation: false }]);
    }
    expect(stage.server.stats.attempts).toBe(1);
    expect(await stage.clock.until(app.session.getToken())).toBeNull();
  });

  it("R20 a proactive refresh that is refused: the valid token is served, degraded, no further attempt, and the end at expiry", async () => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    const app = await stage.signedIn();
    stage.server.grants.revokeToken("");
    stage.server.fault = answers(400, { error: "invalid_grant" });
    await stage.clock.advance(51 * MINUTE);
    expect([app.status(), app.bare.getSnapshot().degraded, stage.server.stats.attempts]).toEqual(["signed-in", true, 1]);
    expect(await stage.call(app)).toBe(200);
    const stored = JSON.stringify(stage.world.stores.names().map((name) => stage.world.stores.read(name)));
    expect([...stage.server.grants.refreshSecrets].some((secret) => stored.includes(secret))).toBe(false);
    await stage.clock.advance(9 * MINUTE);
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: rejected", 1]);
    expect(app.count("signed-out")).toBe(1);
  });

  it("R20 a proactive refresh that is refused: the end at the first 401, which the caller gets", async () => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    const app = await stage.signedIn();
    stage.server.fault = answers(400, { error: "invalid_grant" });
    await stage.clock.advance(51 * MINUTE);
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app)).toBe(401);
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.server.stats.attempts, stage.server.apiCalls.length]).toEqual(["signed-out: rejected", 1, 1]);
  });

  it("R20 a refusal of a refresh that the app asked for ends the session at once", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.revoke();
    expect(await stage.outcome(app.session.refresh())).toBe("rejected");
    expect([app.status(), app.bare.peekToken()]).toEqual(["signed-out: rejected", null]);
  });

  it("R20 F30 F31 a refusal after 401s ends the session once; every caller gets its 401", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.revoke();
    const calls = Promise.all([1, 2, 3].map(() => app.session.fetch("https://api.example.test/me")));
    expect((await stage.clock.until(calls)).map(({ status }) => status)).toEqual([401, 401, 401]);
    expect([app.status(), app.count("signed-out"), stage.server.stats.attempts]).toEqual(["signed-out: rejected", 1, 1]);
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

describe("no answer", () => {
  it.each([
    ["headers", hangs],
    ["headers, after it was carried out", hangsAfterRotating],
    ["body", stalledBody],
  ])("R22 X4 a refresh that stalls in its %s frees everybody at the deadline, and the next call tries again", async (_, fault) => {
    const stage = scene({ http: true, server: { grace: HOUR } });
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(fault);
    const before = stage.clock.monotonic();
    const waiters = Promise.all([1, 2, 3].map(() => app.session.getToken().catch((error: { code: string }) => error.code)));
    expect(await stage.clock.until(waiters, 30_000)).toEqual(["timeout", "timeout", "timeout"]);
    expect(stage.clock.monotonic() - before).toBeLessThan(11_000);
    expect(app.status()).toBe("signed-in");
    await stage.clock.advance(5 * SECOND);
    expect(await stage.call(app)).toBe(200);
  });

  it("R22 the deadline is the user's to set", async () => {
    const stage = scene({ session: { refreshTimeout: 2_000 } });
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = hangs;
    const before = stage.clock.monotonic();
    expect(await stage.outcome(app.session.getToken())).toBe("timeout");
    expect(stage.clock.monotonic() - before).toBeLessThan(2_500);
  });

  it.each([
    ["network error", lostAnswer],
    ["time-out", hangsAfterRotating],
  ])("R23 an answer lost by a %s: one retry within 2 s; its refusal is reported as a possibly lost rotation", async (_, fault) => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    const app = await stage.signedIn();
    stage.server.faults.push(fault);
    await stage.clock.advance(50 * MINUTE + 15 * SECOND);
    expect(stage.server.stats.attempts).toBe(2);
    const failed = app.heard.find(({ event }) => event === "refresh-failed")?.at ?? 0;
    const retried = stage.server.tokenCalls[1]?.at ?? 0;
    expect(retried - failed).toBeGreaterThanOrEqual(1_000);
    expect(retried - failed).toBeLessThanOrEqual(2_100);
    expect(stage.server.stats.reused).toBe(1);
    await stage.clock.advance(10 * MINUTE);
    expect(app.payloads("signed-out")).toEqual([{ reason: "rejected", possiblyLostRotation: true }]);
  });

  it("R23 with a grace period of the server the retry saves the session", async () => {
    const stage = scene({ session: { lead: 10 * MINUTE }, server: { grace: 10_000 } });
    const app = await stage.signedIn();
    stage.server.faults.push(lostAnswer);
    await stage.clock.advance(50 * MINUTE + 5 * SECOND);
    expect([app.status(), stage.serial(app), stage.server.stats.reused]).toEqual(["signed-in", 3, 0]);
  });

  it.each([
    ["503", down()],
    ["504", gatewayTimeout],
  ])("R23 after a %s there is no quick retry", async (_, fault) => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    await stage.signedIn();
    stage.server.faults.push(fault);
    await stage.clock.advance(50 * MINUTE + 20 * SECOND);
    expect(stage.server.stats.attempts).toBe(1);
  });
});

describe("answers that lack something", () => {
  it("R24 a response without a refresh token: the old one is kept and used again", async () => {
    const stage = scene({ server: { rotates: false } });
    const app = await stage.signedIn();
    for (let round = 2; round < 5; round += 1) {
      await stage.clock.until(app.session.refresh());
      expect(stage.serial(app)).toBe(round);
      await stage.clock.advance(MINUTE);
    }
    expect(stage.server.stats).toMatchObject({ refreshes: 3, rejected: 0 });
  });

  it("signed in without a refresh token: served until expiry, then signed out as expired, with no request", async () => {
    const stage = scene();
    const { access_token, expires_in } = stage.server.signIn();
    const app = await stage.signedIn({}, { access_token, expires_in });
    expect(app.bare.getSnapshot()).toMatchObject({ status: "signed-in", refreshDueAt: null });
    expect(await stage.outcome(app.session.refresh())).toBe("not-renewable");
    await stage.clock.advance(HOUR);
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: expired", 0]);
  });

  it.each([
    ["subject", { sub: "grace" }],
    ["client", { client_id: "another" }],
  ])("R44 another %s after a refresh is never merged", async (_, claims) => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    Object.assign(stage.server.grants.options.claims, claims);
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(SECOND);
    for (const one of [app, sibling]) expect([one.status(), one.bare.peekToken()]).toEqual(["signed-out: subject-changed", null]);
    const stored = JSON.stringify(stage.world.stores.names().map((name) => stage.world.stores.read(name)));
    expect([...stage.server.grants.secrets].some((secret) => stored.includes(secret))).toBe(false);
  });
});

describe("late deadlines", () => {
  it.each(["as-due", "timers-first"] as const)(
    "R45 an answer that arrived while the main thread was blocked wins, catching up %s",
    async (catchUp) => {
      const stage = scene();
      const app = await stage.signedIn();
      app.tab.catchUp = catchUp;
      stage.server.latency = { before: () => 500, after: () => 500 };
      const refreshed = app.session.refresh();
      await stage.clock.advance(600);
      app.tab.block(15 * SECOND);
      expect(await stage.outcome(refreshed)).toBe("refreshed");
      expect([stage.serial(app), stage.server.stats.refreshes, app.status()]).toEqual([2, 1, "signed-in"]);
      await stage.clock.advance(HOUR);
      expect(stage.server.stats.reused).toBe(0);
    },
  );

  it("R45 a device that slept through the deadline keeps the answer", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.latency = { before: () => 500, after: () => 500 };
    const refreshed = app.session.refresh();
    await stage.clock.advance(600);
    await stage.clock.sleep(HOUR / 2, { counted: true });
    expect(await stage.outcome(refreshed)).toBe("refreshed");
    expect(stage.server.stats).toMatchObject({ refreshes: 1, reused: 0 });
  });
});

describe("an own refresh function", () => {
  it("J6 that throws synchronously: a failed attempt, and a rejection for who asked", async () => {
    const stage = scene();
    const app = await stage.signedIn({
      refresh: () => {
        throw new Error("own bug");
      },
    });
    expect(await stage.outcome(app.session.refresh())).toBe("refresh-function");
    expect(app.payloads("refresh-failed")[0]?.error).toMatchObject({ code: "refresh-function", cause: { message: "own bug" } });
    expect(app.status()).toBe("signed-in");
  });

  it("J13 may return a string, or a promise of one", async () => {
    const stage = scene();
    const app = await stage.signedIn({ refresh: async () => stage.server.signIn().access_token });
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect(stage.serial(app)).toBe(2);
  });

  it("gets the tokens, the cause, the attempt, a signal and a guarded fetch", async () => {
    const stage = scene();
    const seen: unknown[] = [];
    const own = strategy();
    const app = await stage.signedIn({
      refresh: (context) => {
        seen.push([typeof context.tokens.refreshToken, context.cause, context.attempt, context.signal.aborted]);
        return own.refresh(context);
      },
    });
    stage.server.faults.push(down());
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(10 * SECOND);
    await stage.clock.until(app.session.refresh());
    expect(seen).toEqual([
      ["string", "requested", 1, false],
      ["string", "requested", 2, false],
    ]);
  });

  it("that ignores its signal and never returns still lets everybody go", async () => {
    const stage = scene();
    const app = await stage.signedIn({ refresh: () => new Promise(() => {}) });
    await stage.clock.sleep(2 * HOUR);
    expect(await stage.outcome(app.session.getToken(), 25_000)).toBe("timeout");
  });
});
