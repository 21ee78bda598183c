import { describe, expect, it } from "vitest";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import { HOUR, SECOND, scene } from "../support/scene.js";

describe("callers", () => {
  it("R33 one that aborts rejects alone with its reason; the shared refresh goes on", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    stage.server.latency = { before: () => 1_000, after: () => 0 };
    const controller = new AbortController();
    const aborted = app.session.fetch(`${API}/a`, { signal: controller.signal }).catch((error: unknown) => error);
    const other = app.session.fetch(`${API}/b`);
    await stage.clock.advance(200);
    const reason = new Error("never mind");
    controller.abort(reason);
    expect(await stage.clock.until(aborted, 10)).toBe(reason);
    expect((await stage.clock.until(other)).status).toBe(200);
    expect(stage.server.stats.refreshes).toBe(1);
  });

  it("R33 getToken with an aborted signal rejects with its reason; the refresh goes on", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.latency = { before: () => 1_000, after: () => 0 };
    const controller = new AbortController();
    const aborted = app.session.getToken({ signal: controller.signal }).catch((error: unknown) => error);
    await stage.clock.advance(200);
    controller.abort();
    expect(await stage.clock.until(aborted, 10)).toMatchObject({ name: "AbortError" });
    await stage.clock.advance(2_000);
    expect(stage.serial(app)).toBe(2);
    expect(await stage.outcome(app.session.getToken({ signal: AbortSignal.abort("early") }))).toBe("early");
  });

  it("F5 X11 without a session requests go through plainly, once, without a bearer", async () => {
    const stage = scene({ http: true });
    const app = await stage.open();
    expect(await stage.call(app, "/things", { method: "POST", body: "x" })).toBe(401);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["none"]);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("a request before the restore waits for it", async () => {
    const stage = scene();
    await stage.signedIn();
    const app = stage.start();
    expect(app.status()).toBe("restoring");
    expect(await stage.call(app)).toBe(200);
  });

  it("after dispose a request goes through without hanging", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    app.session.dispose();
    const settled = app.session.fetch(`${API}/me`).then(
      ({ status }) => status,
      (error: { code: string }) => error.code,
    );
    expect(await stage.clock.until(settled, 100)).toBeDefined();
  });
});

describe("classify", () => {
  it.each([403, 419])("R34 A15 F28 E4 an API that says %i", async (status) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn({ classify: ({ response }) => (response?.status === status ? "refresh" : "ok") });
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? json(status, {}) : undefined);
    expect(await stage.call(app)).toBe(200);
    expect(stage.server.stats.refreshes).toBe(1);
  });

  it("R34 a code in the body, read from a clone, asynchronously", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn({
      classify: async ({ response }) => {
        const body = (await response?.json()) as { code?: string } | undefined;
        return body?.code === "EXPIRED_TOKEN" ? "refresh" : "ok";
      },
    });
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? json(200, { code: "EXPIRED_TOKEN" }) : json(200, { code: "FINE" }));
    const response = await stage.clock.until(app.session.fetch(`${API}/me`));
    expect(await response.json()).toEqual({ code: "FINE" });
  });

  it("R34 E6 a network error without CORS headers", async () => {
    const stage = scene();
    const seen: unknown[] = [];
    const app = await stage.signedIn({
      classify: ({ error, request }) => {
        seen.push([error instanceof TypeError, request.headers.has("authorization"), request.url]);
        return error ? "refresh" : "ok";
      },
    });
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? "lost" : undefined);
    expect(await stage.call(app)).toBe(200);
    expect(seen[0]).toEqual([true, false, `${API}/me`]);
    expect(stage.server.stats.refreshes).toBe(1);
  });

  it("R34 sign-out: the answer is passed on, the session is over", async () => {
    const stage = scene();
    const app = await stage.signedIn({ classify: ({ response }) => (response?.status === 401 ? "sign-out" : "ok") });
    stage.server.grants.revoke();
    expect(await stage.call(app)).toBe(401);
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: rejected", 0]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("own bug");
      },
    ],
    ["rejects", () => Promise.reject(new Error("own bug"))],
  ])("R34 A16 when it %s, the answer is passed on, with one warning", async (_, classify) => {
    const stage = scene();
    const app = await stage.signedIn({ classify });
    stage.server.grants.expireAccessTokens();
    expect([await stage.call(app), await stage.call(app)]).toEqual([401, 401]);
    expect(stage.server.stats.attempts).toBe(0);
    expect(app.tab.reports.length).toBeGreaterThan(0);
  });

  it("403 insufficient_scope is no reason to refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(403, {}, { "www-authenticate": 'Bearer error="insufficient_scope"' });
    expect(await stage.call(app)).toBe(403);
    expect(stage.server.stats.attempts).toBe(0);
  });
});
