import { describe, expect, it } from "vitest";
import { audiences } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { App } from "../support/app.js";
import { HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";

const isBad = (url: string) => new URL(url).pathname === "/bad";

/** Two tabs poll these paths every five seconds, half of that apart, for ten minutes. The statuses by path. */
async function poll(stage: Scene, apps: App[], paths: string[], minutes = 10): Promise<Map<string, number[]>> {
  const seen = new Map<string, number[]>(paths.map((path) => [path, []]));
  for (let round = 0; round < minutes * 12; round++) {
    for (const app of apps) {
      const calls = paths.map(async (path) => seen.get(path)?.push((await app.session.fetch(`${API}${path}`)).status));
      await stage.clock.until(Promise.all(calls));
      await stage.clock.advance((5 * SECOND) / apps.length);
    }
  }
  return seen;
}

async function twoTabs(options: Parameters<typeof scene>[0] = {}): Promise<{ stage: Scene; apps: App[] }> {
  const stage = scene(options);
  const one = await stage.signedIn();
  const apps = [one, await stage.open()];
  await stage.clock.advance(SECOND);
  return { stage, apps };
}

describe("R48 a 401 that one more renewal would cure reaches nobody", () => {
  it("a token that was revoked right after its renewal is renewed after the rest of the floor", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(app.session.refresh());
    stage.server.grants.expireAccessTokens();
    const before = stage.clock.monotonic();
    expect(await stage.call(app)).toBe(200);
    expect(stage.clock.monotonic() - before).toBeLessThan(1_500);
    expect(stage.server.stats.refreshes).toBe(2);
  });

  it("X3 each token is revoked before its first use: every call gets 200", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    for (let call = 0; call < 50; call++) {
      await stage.clock.until(app.session.refresh());
      stage.server.grants.expireAccessTokens();
      expect(await stage.call(app)).toBe(200);
    }
  });

  it("each token is revoked after its first use: every call gets 200, in both tabs", async () => {
    const { stage, apps } = await twoTabs();
    stage.server.apiAnswer = () => void queueMicrotask(() => stage.server.grants.expireAccessTokens());
    for (let call = 0; call < 50; call++) {
      expect(await stage.call(apps[call % 2] as App)).toBe(200);
      await stage.clock.advance(call * 20);
    }
  });

  it("access tokens are revoked in quick succession: 200 calls, each gets 200", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    for (let call = 0; call < 200; call++) {
      if (call % 2) stage.server.grants.expireAccessTokens();
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance(call % 300);
    }
  });

  it("as many at once as there are: one renewal for all, after one wait", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(app.session.refresh());
    stage.server.grants.expireAccessTokens();
    const calls = await stage.clock.until(Promise.all(Array.from({ length: 20 }, (_, n) => app.session.fetch(`${API}/${n}`))));
    expect(calls.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(stage.server.stats.refreshes).toBe(2);
  });

  it("with tokens of five seconds the floor is a second as well, and with an audience's own", async () => {
    const stage = scene({ server: { accessSeconds: 5 } });
    const app = await stage.signedIn({ audiences: audiences({ "https://billing.test": {} }) });
    const fetchBilling = async () => (await stage.clock.until(app.session.fetch("https://billing.test/me"))).status;
    expect(await fetchBilling()).toBe(200);
    stage.server.grants.expireAccessTokens();
    expect([await fetchBilling(), await stage.call(app)]).toEqual([200, 200]);
    stage.server.grants.expireAccessTokens();
    expect([await fetchBilling(), await stage.call(app)]).toEqual([200, 200]);
  });
});

describe("R49 what a renewal does not cure is paced", () => {
  it.each([
    ["alone", ["/bad"]],
    ["beside one that answers 200", ["/bad", "/good"]],
  ])("a route that always says 401, %s: at most 15 rotations in ten minutes of two tabs", async (_, paths) => {
    const { stage, apps } = await twoTabs();
    stage.server.apiAnswer = ({ url }) => (isBad(url) ? json(401, {}) : undefined);
    const seen = await poll(stage, apps, paths);
    expect(new Set(seen.get("/bad"))).toEqual(new Set([401]));
    expect(new Set(seen.get("/good") ?? [200])).toEqual(new Set([200]));
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(15);
    expect(stage.server.stats.attempts).toBeGreaterThan(8);
    expect(apps.map((app) => app.status())).toEqual(["signed-in", "signed-in"]);
  });

  it.each([
    ["memory mode", { session: { persist: memory() }, shares: true }],
    [
      "short tokens",
      { server: { accessSeconds: 3600 }, session: { classify: ({ response }) => (response?.status === 403 ? "refresh" : "ok") } },
    ],
  ] as [string, Parameters<typeof scene>[0]][])("in %s, too", async (name, options) => {
    const { stage, apps } = await twoTabs(options);
    stage.server.apiAnswer = ({ url }) => (isBad(url) ? json(name === "memory mode" ? 401 : 403, {}) : undefined);
    const seen = await poll(stage, apps, ["/bad", "/good"]);
    expect(new Set(seen.get("/good"))).toEqual(new Set([200]));
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(15);
  });

  it("for each audience by itself", async () => {
    const billing = "https://billing.test";
    const stage = scene({ session: { audiences: audiences({ [billing]: {} }) } });
    const app = await stage.signedIn();
    const other = await stage.open();
    stage.server.apiAnswer = ({ url }) => (url.startsWith(billing) ? json(401, {}) : undefined);
    for (let round = 0; round < 120; round++) {
      for (const tab of [app, other]) await stage.clock.until(tab.session.fetch(`${billing}/x`));
      await stage.clock.advance(5 * SECOND);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(16);
    // The session's own token is not suspected.
    stage.server.grants.expireAccessTokens();
    const attempts = stage.server.stats.attempts;
    expect([await stage.call(app), stage.server.stats.attempts - attempts]).toEqual([200, 1]);
  });

  it("a server that gives the same token again, whatever the API says, is not asked each time", async () => {
    const stage = scene();
    let renewals = 0;
    const app = await stage.open({ name: "same", refresh: () => `same-${++renewals && ""}` });
    await stage.clock.until(app.session.signIn("same-"));
    stage.server.apiAnswer = () => json(401, {});
    for (let round = 0; round < 120; round++) {
      expect(await stage.call(app)).toBe(401);
      await stage.clock.advance(5 * SECOND);
    }
    expect(renewals).toBeLessThanOrEqual(15);
  });

  it("an upload by a stream, which cannot be sent again, does not hammer either", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {});
    for (let round = 0; round < 120; round++) {
      const body = new ReadableStream({ start: (controller) => controller.close() });
      expect(await stage.call(app, "/bad", { method: "POST", body, duplex: "half" } as RequestInit)).toBe(401);
      await stage.clock.advance(5 * SECOND);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(15);
  });

  it("the pauses are 1, 4, 16 and 60 s, and a 401 in them is passed on at once", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {});
    const renewedAt: number[] = [];
    for (let tenth = 0; tenth < 1_500; tenth++) {
      const before = stage.server.stats.attempts;
      const started = stage.clock.monotonic();
      await stage.call(app, "/bad");
      if (stage.server.stats.attempts > before) renewedAt.push(stage.clock.monotonic());
      else expect(stage.clock.monotonic() - started).toBeLessThan(60);
      await stage.clock.advance(100);
    }
    const pauses = renewedAt.slice(1).map((at, index) => Math.round((at - (renewedAt[index] as number)) / 1000));
    expect(pauses).toEqual([1, 4, 16, 60, 60]);
    expect(app.debug.filter(({ ruling }) => ruling === "paced").length).toBeGreaterThan(500);
  });

  it("a resend that is accepted ends it; answers to other calls do not", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = ({ url }) => (isBad(url) ? json(401, {}) : undefined);
    for (let round = 0; round < 4; round++) {
      await stage.call(app, "/bad");
      await stage.clock.advance(20 * SECOND);
    }
    expect(await stage.call(app, "/good")).toBe(200);
    let attempts = stage.server.stats.attempts;
    await stage.call(app, "/bad");
    expect(stage.server.stats.attempts - attempts).toBe(0);
    // It is accepted again, by a token that was renewed for it.
    await stage.clock.advance(MINUTE);
    stage.server.apiAnswer = ({ bearer, url }) => (isBad(url) && bearer === stage.server.grants.lastSerial - 1 ? json(401, {}) : undefined);
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app, "/bad")).toBe(200);
    stage.server.apiAnswer = ({ url }) => (isBad(url) ? json(401, {}) : undefined);
    attempts = stage.server.stats.attempts;
    await stage.clock.advance(2 * SECOND);
    await stage.call(app, "/bad");
    expect(stage.server.stats.attempts - attempts).toBe(1);
  });

  it("meanwhile a token that this very address had accepted is renewed, and the call gets its answer", async () => {
    const { stage, apps } = await twoTabs();
    const [app] = apps as [App];
    stage.server.apiAnswer = ({ url }) => (isBad(url) ? json(401, {}) : undefined);
    for (let round = 0; round < 4; round++) {
      await stage.call(app, "/bad");
      await stage.clock.advance(17 * SECOND);
    }
    expect(await stage.call(app, "/good?page=1")).toBe(200);
    stage.server.grants.expireAccessTokens();
    const attempts = stage.server.stats.attempts;
    expect(await stage.call(app, "/bad")).toBe(401);
    expect(stage.server.stats.attempts - attempts).toBe(0);
    expect(await stage.call(app, "/good?page=2")).toBe(200);
    expect(stage.server.stats.attempts - attempts).toBe(1);
  });

  it("a token that no 401 asked for is always renewed for its first 401", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = ({ url }) => (isBad(url) ? json(401, {}) : undefined);
    for (let round = 0; round < 4; round++) {
      await stage.call(app, "/bad");
      await stage.clock.advance(17 * SECOND);
    }
    await stage.clock.until(app.session.refresh());
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app, "/never-seen")).toBe(200);
  });

  it.each([
    ['Bearer error="insufficient_scope", scope="admin"', 0],
    ['Bearer realm="x", error=insufficient_scope', 0],
    ['Basic realm="staging"', 0],
    ["basic", 0],
    ['Digest realm="x", nonce="1"', 0],
    ["Negotiate", 0],
    ['Basic realm="x", Bearer realm="y"', 1],
    ['Bearer realm="x", Basic realm="y"', 1],
    ["Bearer", 1],
    ['DPoP error="invalid_token"', 1],
    ['Bearer error="insufficient_user_authentication", acr_values="2"', 0],
    ['Bearer error="insufficient_claims", claims="x"', 0],
    ['Basic realm="bearer"', 0],
    ['Bearer error="invalid_token", error_description="expired, not insufficient_scope"', 1],
    ['Basic realm="api", Token realm="api", error="invalid_token"', 1],
    ['Token realm="api"', 1],
    ["", 1],
  ])("a challenge that is not about the token causes no renewal: %s (%i)", async (challenge, renewals) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {}, challenge ? { "www-authenticate": challenge } : {});
    expect([await stage.call(app), stage.server.stats.attempts]).toEqual([401, renewals]);
  });

  it("what a clock that was set wrong noted binds for a minute at most", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {});
    for (let round = 0; round < 5; round++) {
      await stage.call(app);
      await stage.clock.advance(17 * SECOND);
    }
    await stage.clock.sleep(HOUR / 2);
    const attempts = stage.server.stats.attempts;
    await stage.call(app);
    expect(stage.server.stats.attempts - attempts).toBe(1);
  });
});
