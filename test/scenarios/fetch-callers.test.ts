import { describe, expect, it } from "vitest";
import { renewalHeader } from "../../src/index.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { ClassifyInput, Verdict } from "../../src/types/index.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

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

  it.each([
    "text/event-stream",
    "text/plain; charset=utf-8",
    "application/x-ndjson",
    "multipart/mixed; boundary=x",
    "application/octet-stream",
  ])("R51 never holds back a stream, though it reads each body: %s", async (type) => {
    const stage = scene();
    const read: string[] = [];
    const app = await stage.signedIn({
      classify: async ({ response }): Promise<Verdict> => {
        read.push((await response?.text()) ?? "");
        return "ok";
      },
    });
    const endless = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new TextEncoder().encode("first")) });
    const call = app.session.wrap(async () => new Response(endless, { headers: { "content-type": type } }));
    const response = await stage.clock.until(call(`${API}/events`), 100);
    expect(new TextDecoder().decode((await response.body?.getReader().read())?.value)).toBe("first");
    expect(read).toEqual([""]);
  });

  it("R51 reads what an answer of such a type says that is a failure", async () => {
    const stage = scene();
    const app = await stage.signedIn({
      classify: async ({ response }): Promise<Verdict> => ((await response?.text()) === "expired" ? "refresh" : "ok"),
    });
    stage.server.apiAnswer = ({ bearer }) =>
      bearer === 1 ? { status: 400, body: "expired", headers: { "content-type": "text/plain" } } : undefined;
    expect(await stage.call(app)).toBe(200);
  });

  it.each([
    ["cannot be cloned, since its body was read", () => new Response("read"), 200],
    ["is only like a Response", () => ({ status: 401, ok: false, headers: { get: () => null }, body: { pipe() {} } }), 401],
    ["has no headers", () => ({ status: 401 }), 401],
    ["has plain headers", () => ({ status: 401, headers: {} }), 401],
    ["has plain headers, and is no failure", () => ({ status: 200, ok: true, headers: {} }), 200],
    ["has headers that are a Map", () => ({ status: 401, headers: new Map() }), 401],
    ["is none", () => undefined, undefined],
    ["is the network's own error", () => Response.error(), 0],
  ])("R51 an answer that %s is passed on", async (_, make, status) => {
    const stage = scene();
    for (const classify of [({ response }: ClassifyInput): Verdict => (response?.status === 401 ? "refresh" : "ok"), undefined]) {
      const app = await stage.signedIn({ ...(classify && { classify }), renewalHeader: renewalHeader("x-renewed") });
      const call = app.session.wrap(async () => {
        const answer = make() as Response;
        if (answer instanceof Response && answer.status) await answer.text();
        return answer;
      });
      expect((await stage.clock.until(call(`${API}/me`)))?.status).toBe(status);
    }
  });

  it("R34 is asked about the answer to what was sent again, too: it may end the session", async () => {
    const stage = scene();
    const app = await stage.signedIn({
      classify: ({ response }) => (response?.status === 401 ? "refresh" : response?.status === 410 ? "sign-out" : "ok"),
    });
    stage.server.apiAnswer = ({ bearer }) => json(bearer === 1 ? 401 : 410, {});
    expect(await stage.call(app)).toBe(410);
    await stage.clock.advance(SECOND);
    expect(app.status()).toBe("signed-out: rejected");
  });
});

describe("R53 all waits of one call have one limit: 2 × refreshTimeout + 5 s", () => {
  it.each([2_000, 10_000])("expired, refused, and a holder that does not move (refreshTimeout %i)", async (refreshTimeout) => {
    const stage = scene({ session: { refreshTimeout, takeoverAfter: 15 * MINUTE } });
    const holder = await stage.signedIn();
    const app = await stage.open();
    await stage.clock.sleep(2 * HOUR);
    stage.server.latency = { before: () => HOUR, after: () => 0 };
    const hangs = holder.session.refresh();
    hangs.catch(() => {});
    await stage.clock.advance(100);
    holder.tab.freeze();
    const started = stage.clock.monotonic();
    const call = app.session.fetch(`${API}/me`);
    expect((await stage.clock.until(call, 60_000)).status).toBe(401);
    const taken = stage.clock.monotonic() - started;
    expect(taken).toBeLessThanOrEqual(2 * refreshTimeout + 5_000 + 500);
    expect(taken).toBeGreaterThan(refreshTimeout);
    holder.tab.thaw();
  });
});
