import { describe, expect, it } from "vitest";
import { down } from "../support/faults.js";
import { json } from "../support/reply.js";
import { HOUR, SECOND, scene } from "../support/scene.js";
import { API } from "../support/token-server.js";

const text = (body: Uint8Array | undefined) => new TextDecoder().decode(body);

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

  it("F23 F17 keeps the caller's headers, on the resend too", async () => {
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
});

describe("bodies", () => {
  const form = () => {
    const data = new FormData();
    data.append("name", "Ada");
    data.append("file", new Blob(["\u0000\u0001binary"], { type: "application/octet-stream" }), "a.bin");
    return data;
  };
  const bodies: Record<string, () => BodyInit> = {
    "JSON text": () => JSON.stringify({ a: "ü" }),
    FormData: form,
    Blob: () => new Blob(["blob ✓"], { type: "text/plain" }),
    URLSearchParams: () => new URLSearchParams({ a: "1 2", b: "&" }),
    Uint8Array: () => new Uint8Array([0, 1, 2, 255]),
    ArrayBuffer: () => new Uint8Array([9, 8, 7]).buffer,
  };

  it.each(Object.entries(bodies))("R31 %s is replayed byte for byte after a 401", async (_, make) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app, "/things", { method: "POST", body: make() })).toBe(200);
    const [first, second] = stage.server.apiCalls;
    expect(stage.server.apiCalls).toHaveLength(2);
    expect(first?.body.length).toBeGreaterThan(2);
    // The boundary of a form is drawn anew for each send; what is between is the same.
    const comparable = (call: typeof first) => {
      const boundary = /boundary=(.*)$/.exec(call?.headers["content-type"] ?? "")?.[1];
      return boundary ? text(call?.body).replaceAll(boundary, "BOUNDARY") : [...(call?.body ?? [])].join();
    };
    expect(comparable(second)).toBe(comparable(first));
  });

  it("R31 X12 a Request with a body is resent whole, with its method and headers", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    const request = new Request(`${API}/things`, {
      method: "PUT",
      body: "whole body",
      headers: { "x-a": "1", "content-type": "text/plain" },
    });
    expect((await stage.clock.until(app.session.fetch(request))).status).toBe(200);
    expect(stage.server.apiCalls.map((call) => [call.method, text(call.body), call.headers["x-a"], call.headers["content-type"]])).toEqual([
      ["PUT", "whole body", "1", "text/plain"],
      ["PUT", "whole body", "1", "text/plain"],
    ]);
  });

  it.each([false, true])(
    "R31 a one-shot stream returns the original 401 after refreshing, and hangs nowhere (in a Request: %s)",
    async (inRequest) => {
      const stage = scene({ http: true });
      const app = await stage.signedIn();
      stage.server.grants.expireAccessTokens();
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("once"));
          controller.close();
        },
      });
      const init = { method: "POST", body: stream, duplex: "half" } as RequestInit;
      const sent = inRequest ? app.session.fetch(new Request(`${API}/things`, init)) : app.session.fetch(`${API}/things`, init);
      const response = await stage.clock.until(sent, 30_000);
      // A Request cannot tell what its body was made of, so that it may be resent; a bare stream cannot be.
      if (inRequest) expect([200, 401]).toContain(response.status);
      else expect([response.status, stage.server.apiCalls.length]).toEqual([401, 1]);
      expect(text(stage.server.apiCalls[0]?.body)).toBe("once");
      await stage.clock.advance(SECOND);
      expect(stage.server.stats.refreshes).toBe(1);
    },
  );

  it("R31 an init that overrides a Request is honoured, as fetch does it", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    const request = new Request(`${API}/things`, { method: "POST", body: "one", headers: { "x-a": "1" } });
    await stage.clock.until(app.session.fetch(request, { method: "PUT", body: "two", headers: { "x-b": "2" } }));
    const [call] = stage.server.apiCalls;
    expect([call?.method, text(call?.body), call?.headers["x-a"], call?.headers["x-b"], call?.bearer]).toEqual([
      "PUT",
      "two",
      undefined,
      "2",
      1,
    ]);
  });
});

describe("origins", () => {
  const strangers = [
    "https://api.example.test.evil.test/me",
    "https://api.example.test:8443/me",
    "http://api.example.test/me",
    "https://evil.test/?https://api.example.test",
    "https://api.example.test@evil.test/me",
    "https://xapi.example.test/me",
    "https://example.test/me",
  ];
  it.each(strangers)("R32 X10 nothing is attached for %s", async (url) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {});
    // A fetch with a user name in its URL is refused by fetch itself.
    const outcome = await stage.clock.until(
      app.session.fetch(url).then(
        ({ status }) => status,
        () => "refused",
      ),
    );
    expect(["refused", 401]).toContain(outcome);
    expect(stage.server.apiCalls.every(({ bearer }) => bearer === "none")).toBe(true);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it.each(["https://api.example.test", "https://API.example.test/", "https://api.example.test:443/v1/"])(
    "R32 the list is compared parsed: %s",
    async (origin) => {
      const stage = scene({ session: { allowedOrigins: [origin] } });
      const app = await stage.signedIn();
      expect(await stage.call(app, "/me")).toBe(200);
      expect((await stage.clock.until(app.session.fetch("https://api.example.test:443/me"))).status).toBe(200);
    },
  );

  it("R32 the default is the page's own origin, relative addresses included", async () => {
    const stage = scene();
    const app = await stage.signedIn({ allowedOrigins: undefined as never });
    await stage.clock.until(app.session.fetch("/own"));
    await stage.clock.until(app.session.fetch(`${API}/me`));
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1, "none"]);
  });

  it("R32 in Node there is no default", async () => {
    const stage = scene({ world: { origin: undefined } });
    const app = await stage.signedIn({ allowedOrigins: undefined as never });
    await stage.call(app);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["none"]);
  });
});

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

  it("F24 403 insufficient_scope is no reason to refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(403, {}, { "www-authenticate": 'Bearer error="insufficient_scope"' });
    expect(await stage.call(app)).toBe(403);
    expect(stage.server.stats.attempts).toBe(0);
  });
});
