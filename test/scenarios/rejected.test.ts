import { describe, expect, it } from "vitest";
import { answers, type Fault } from "../../src/testing/faults.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

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

  it("R20 a proactive refresh that the app joins counts as asked for: its refusal ends the session at once", async () => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    const app = await stage.signedIn();
    stage.server.grants.revoke();
    stage.server.latency = { before: () => 2_000, after: () => 0 };
    await stage.clock.advance(50 * MINUTE);
    expect(stage.server.stats.attempts).toBe(1);
    expect(await stage.outcome(app.session.refresh())).toBe("rejected");
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: rejected", 1]);
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
