import { describe, expect, it } from "vitest";
import { down } from "../../src/testing/faults.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import { HOUR, scene } from "../support/scene.js";

describe("a 401", () => {
  it("R27 E1 F14: refresh, resend once with the new token, 200", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app)).toBe(200);
    expect(stage.server.apiCalls.map(({ bearer, status }) => [bearer, status])).toEqual([
      [1, 401],
      [2, 200],
    ]);
    expect(stage.server.stats.refreshes).toBe(1);
  });

  it("R27 F27 a permanent one is passed through after one refresh and one resend; the session stays", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, { error: "always" });
    const response = await stage.clock.until(app.session.fetch(`${API}/me`));
    expect([response.status, await response.json()]).toEqual([401, { error: "always" }]);
    expect([stage.server.apiCalls.length, stage.server.stats.refreshes, app.status()]).toEqual([2, 1, "signed-in"]);
  });

  it("R27 a hundred calls to an API that always says 401 do not hammer the token endpoint", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {});
    for (let call = 0; call < 100; call += 1) {
      expect(await stage.call(app)).toBe(401);
      await stage.clock.advance(20);
    }
    expect(stage.server.stats.attempts).toBeLessThan(8);
    expect(app.status()).toBe("signed-in");
  });

  it.each([3, 20])("R28 %i in parallel: one refresh, all are resent", async (count) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    const calls = Promise.all(Array.from({ length: count }, (_, n) => app.session.fetch(`${API}/${n}`)));
    expect((await stage.clock.until(calls)).map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 200));
    expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1, apiUnauthorized: count });
  });

  it("R28 A25 in parallel while the refresh fails: all settle with their 401, signed in", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    stage.server.fault = down();
    const calls = Promise.all([1, 2, 3].map(() => app.session.fetch(`${API}/me`)));
    expect((await stage.clock.until(calls, 30_000)).map(({ status }) => status)).toEqual([401, 401, 401]);
    expect([stage.server.stats.attempts, app.status()]).toEqual([1, "signed-in"]);
  });

  it("R28 E3 A23 one that fails and four that start during the refresh: five 200, one refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    stage.server.latency = { before: () => 500, after: () => 500 };
    const first = app.session.fetch(`${API}/first`);
    await stage.clock.advance(400);
    const more = [1, 2, 3, 4].map((n) => app.session.fetch(`${API}/${n}`));
    const all = await stage.clock.until(Promise.all([first, ...more]));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R29 X3 that answers an older token: resent without another refresh", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    stage.server.apiLatency = (request) => (request.url.endsWith("/late") ? 5_000 : 0);
    const calls = Promise.all(["a", "b", "late"].map((path) => app.session.fetch(`${API}/${path}`)));
    expect((await stage.clock.until(calls)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(stage.server.stats).toMatchObject({ attempts: 1, apiUnauthorized: 3, apiOk: 3 });
  });

  it("F25 F26 three at once and three staggered, each with another latency: all 200", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    stage.server.apiLatency = (request) => Number(new URL(request.url).pathname.slice(1));
    const calls = [300, 10, 1_500].map((latency) => app.session.fetch(`${API}/${latency}`));
    for (const latency of [700, 20, 90]) {
      await stage.clock.advance(60);
      calls.push(app.session.fetch(`${API}/${latency}`));
    }
    expect((await stage.clock.until(Promise.all(calls))).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R30 from the token endpoint itself never comes back into the wrapper", async () => {
    const stage = scene({ session: { allowedOrigins: [API, "https://auth.example.test"] } });
    const app = await stage.signedIn();
    stage.server.fault = { processed: false, instead: json(401, { error: "odd" }) };
    await stage.outcome(app.session.refresh(), 30_000);
    const toEndpoint = stage.world.network.sent.filter(({ url }) => url.endsWith("/token"));
    expect(toEndpoint).toHaveLength(1);
    expect(toEndpoint.every(({ authorization }) => authorization === null)).toBe(true);
  });

  it("F17 keeps the caller's headers, on the resend too", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    await stage.call(app, "/me", { headers: { "x-trace": "42", accept: "application/json" } });
    expect(stage.server.apiCalls.map(({ headers }) => [headers["x-trace"], headers.accept])).toEqual([
      ["42", "application/json"],
      ["42", "application/json"],
    ]);
  });

  it("F18 leaves a request with an Authorization header of the caller's alone", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {});
    for (const headers of [
      { Authorization: "Basic abc" },
      [["authorization", "Bearer mine"]] as [string, string][],
      new Headers({ authorization: "Custom x" }),
    ]) {
      expect(await stage.call(app, "/me", { headers })).toBe(401);
    }
    const own = new Request(`${API}/me`, { headers: { authorization: "Basic abc" } });
    expect((await stage.clock.until(app.session.fetch(own))).status).toBe(401);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["foreign", "foreign", "foreign", "foreign"]);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("R27 a refresh that cannot be had now: the request is sent with the token there is, and the answer passed through", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = down();
    expect(await stage.call(app)).toBe(401);
    expect([stage.server.apiCalls.at(0)?.bearer, app.status()]).toEqual([1, "signed-in"]);
  });

  it("R32 of another origin, to which a redirect led, is not about the token", async () => {
    const stage = scene();
    const tab = stage.world.tab();
    const redirected = async () => {
      const response = new Response("", { status: 401 });
      Object.defineProperties(response, { url: { value: "https://elsewhere.test/login" }, redirected: { value: true } });
      return response;
    };
    const app = await stage.open({ environment: { ...tab.environment, fetch: redirected } }, { tab });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    const refused = app.heard.length;
    expect(await stage.call(app)).toBe(401);
    expect([app.heard.length, app.debug.filter(({ type }) => type === "refresh-wanted")]).toEqual([refused, []]);
  });
});
