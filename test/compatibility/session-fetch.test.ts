import { describe, expect, it } from "vitest";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import { SECOND, scene } from "../support/scene.js";

/** axios-auth-refresh's list once more, for `session.fetch` and `session.wrap`; at axios itself it is in axios-auth-refresh.test.ts. */
describe("axios-auth-refresh's behaviour, without axios", () => {
  it("A4 A5 A6 a failure without an answer, whatever was thrown, is passed on, and nothing is refreshed", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    for (const thrown of [undefined, new TypeError("no answer"), { status: 401 }]) {
      const call = app.session.wrap(() => Promise.reject(thrown));
      expect(await stage.clock.until(call(`${API}/me`).catch((reason: unknown) => ({ reason })))).toEqual({ reason: thrown });
    }
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("A7 a 403 refreshes nothing; A9 nor does a status that is a text, which no real answer has", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(403, {});
    expect(await stage.call(app)).toBe(403);
    const odd = Object.defineProperty(new Response(), "status", { value: "401" });
    await stage.clock.until(app.session.wrap(async () => odd)(`${API}/me`));
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("A8 E1 a 401 refreshes once, and the call is answered by the new token; A33 the next 401 is as the first one", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    for (const refreshes of [1, 2]) {
      stage.server.grants.expireAccessTokens();
      expect([await stage.call(app), stage.server.stats.refreshes]).toEqual([200, refreshes]);
      await stage.clock.advance(2 * SECOND);
    }
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1, 2, 2, 3]);
  });

  it("A10 E2 a call is skipped by its own Authorization, or by the page's own fetch; A11 any other one is not", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    expect([await stage.call(app, "/me", { headers: { authorization: "Bearer own" } }), stage.server.stats.attempts]).toEqual([401, 0]);
    expect([await stage.call(app), stage.server.stats.refreshes]).toEqual([200, 1]);
  });

  it("A13 A18 A20 who asks during a refresh joins it; A23 E3 so do calls that start meanwhile: five 200, one refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    stage.server.latency = { before: () => 500, after: () => 0 };
    const call = () => app.session.fetch(`${API}/me`).then(({ status }) => status);
    const first = call();
    await stage.clock.advance(200);
    const asked = app.session.refresh();
    const all = Promise.all([first, call(), call(), call(), call()]);
    expect(await stage.clock.until(all)).toEqual([200, 200, 200, 200, 200]);
    expect([await stage.clock.until(asked), stage.server.stats.attempts]).toEqual(["refreshed", 1]);
  });

  it("A19 A25 when it fails, all who wait settle with their own 401", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.revoke();
    const call = () => app.session.fetch(`${API}/me`).then(({ status }) => status);
    const outcomes = Promise.all([call(), call(), call()]);
    expect([await stage.clock.until(outcomes), stage.server.stats.attempts]).toEqual([[401, 401, 401], 1]);
  });

  it("A26 A27 A28 A29 E5 a transport of one's own sees each sending before it, and may add a header to the second, or send it another way", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    let sent = 0;
    const call = app.session.wrap(async (input, init) => {
      sent += 1;
      const headers = new Headers(init?.headers);
      if (sent > 1) headers.set("x-again", "yes");
      return app.tab.environment.fetch(input, { ...init, headers });
    });
    expect((await stage.clock.until(call(`${API}/me`))).status).toBe(200);
    expect(stage.server.apiCalls.map(({ headers }) => headers["x-again"])).toEqual([undefined, "yes"]);
  });
});
