import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { cookie } from "../../src/index.js";
import { answers, down, type Fault } from "../../src/testing/faults.js";
import type { TokenResponse, Tokens } from "../../src/types/index.js";
import { HOUR, kept, MINUTE, SECOND, scene } from "../support/scene.js";

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
      const error = { name: "SessionError", code: "rejected", attempt: 1, status: expect.any(Number) as number };
      expect(one.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: false, error }]);
      expect(one.count("refresh-failed")).toBe(0);
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
    expect(app.payloads("refresh-failed")).toMatchObject([{ error: { code: "rejected" }, retryAt: null }]);
    expect(app.payloads("signed-out")).toMatchObject([{ error: { code: "rejected", status: 400, attempt: 1 } }]);
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

describe("what signed-out says of the error", () => {
  it("R80 in the tab that asked it is the error that its caller got, with its cause; in the others, what the ledger says of it", async () => {
    const stage = scene();
    const cause = new Error("account locked");
    const refresh = () => Promise.reject(new SessionError("rejected", "locked", { status: 423, cause }));
    const app = await stage.signedIn({ refresh, name: "locked" });
    const sibling = await stage.open({ refresh, name: "locked" });
    expect(await stage.outcome(app.session.refresh())).toBe("rejected");
    await stage.clock.advance(SECOND);
    expect(app.payloads("signed-out")[0]?.error).toBe(app.failures[0]);
    expect(app.failures).toMatchObject([{ message: "locked", cause }]);
    const [heard] = sibling.payloads("signed-out");
    expect(heard?.error).toBeInstanceOf(SessionError);
    expect(heard?.error).toMatchObject({ code: "rejected", status: 423, attempt: 1 });
    expect(heard?.error?.cause).toBeUndefined();
    for (const one of [app, sibling]) expect([one.count("refresh-failed"), one.count("signed-out")]).toEqual([0, 1]);
  });

  it("R80 where the refusal came ahead of expiry, it is still the very error when the ledger has been read again", async () => {
    const stage = scene();
    const cause = new Error("account closed");
    const refresh = () => Promise.reject(new SessionError("rejected", "closed", { status: 403, cause }));
    const app = await stage.signedIn({ refresh, name: "closed", lead: 5 * MINUTE });
    const sibling = await stage.open({ refresh, name: "closed" });
    await stage.clock.advance(56 * MINUTE);
    const failed = [app, sibling].flatMap((one) => one.payloads("refresh-failed"));
    expect(failed.length).toBe(1);
    for (const { tab } of [app, sibling]) tab.signal("wake");
    await stage.clock.advance(10 * MINUTE);
    const errors = [app, sibling].map((one) => one.payloads("signed-out")[0]?.error);
    expect(errors).toContain(failed[0]?.error);
    expect(errors.map((error) => error?.code)).toEqual(["rejected", "rejected"]);
    expect(errors.map((error) => error?.cause)).toContain(undefined);
  });

  it("R80 a mistake in the set-up that let the session expire is named; a sign-out and an API's word are no error", async () => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    const app = await stage.signedIn();
    stage.server.faults.push(answers(400, { error: "invalid_scope" }));
    await stage.clock.advance(HOUR);
    expect(app.payloads("signed-out")).toMatchObject([{ reason: "expired", error: { code: "configuration", status: 400 } }]);
    const left = await stage.signedIn();
    stage.server.faults.push(down());
    await stage.outcome(left.session.refresh());
    await stage.clock.until(left.session.signOut());
    expect(left.payloads("signed-out").at(-1)).toEqual({ reason: "user", possiblyLostRotation: false });
    const ended = await stage.signedIn({ classify: () => "sign-out" });
    stage.server.faults.push(down());
    await stage.outcome(ended.session.refresh());
    await stage.call(ended);
    await stage.clock.advance(SECOND);
    expect(ended.payloads("signed-out").at(-1)).toEqual({ reason: "rejected", possiblyLostRotation: false });
  });

  it("R80 somebody else's answer is no error of the refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    Object.assign(stage.server.grants.options.claims, { sub: "grace" });
    await stage.outcome(app.session.refresh());
    expect(app.payloads("signed-out")).toEqual([{ reason: "subject-changed", possiblyLostRotation: false }]);
    expect(app.count("refresh-failed")).toBe(0);
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

  it.each<[string, Tokens, number]>([
    ["a response without one", { access_token: "a", expires_in: 600 }, 1],
    ["an empty one", { access_token: "a", refresh_token: "", expires_in: 600 }, 1],
    ["null for one", { access_token: "a", refresh_token: null as never }, 1],
    ["a set without one", { accessToken: "a", expiresIn: 600 }, 1],
    ["a bare token", "a", 1],
    ["one", { access_token: "a", refresh_token: "r" }, 0],
  ])("R73 a sign-in with %s says once, and in its own tab only, that offline_access is to be asked for", async (_, tokens, times) => {
    for (const persist of ["indexeddb", "memory"] as const) {
      const stage = scene({ session: { persist: kept(persist) }, shares: true });
      const app = await stage.signedIn({}, tokens as TokenResponse);
      const sibling = await stage.open();
      expect(app.tab.reports).toHaveLength(times);
      await stage.clock.until(app.session.signIn(tokens));
      await stage.clock.advance(HOUR);
      const told = app.tab.reports.map(({ message }) => message);
      expect(told.filter((message) => /offline_access .*, or give refreshTokenField$/.test(message))).toHaveLength(times);
      expect(sibling.tab.reports).toEqual([]);
    }
  });

  it("R73 nothing is said where no refresh token is needed, and at no renewal that brings none", async () => {
    const stage = scene({ server: { rotates: false } });
    const inCookie = await stage.signedIn({ refresh: cookie({ url: "/refresh" }) }, { access_token: "a" });
    const own = await stage.signedIn({ name: "own", refresh: () => "b" }, { access_token: "a" });
    const app = await stage.signedIn();
    await stage.clock.until(app.session.refresh());
    expect([inCookie, own, app].flatMap(({ tab }) => tab.reports)).toEqual([]);
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
