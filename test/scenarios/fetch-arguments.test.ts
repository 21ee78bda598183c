import { describe, expect, it } from "vitest";
import { cookie } from "../../src/index.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import { HOUR, type Scene, SECOND, scene } from "../support/scene.js";

const text = (body: Uint8Array | undefined) => new TextDecoder().decode(body);

/** What makes a call read its arguments late: it waits for a refresh, for the restore, or is sent again. */
const late: Record<string, (stage: Scene) => Promise<import("../support/app.js").App>> = {
  "that waits for a refresh": async (stage) => {
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    return app;
  },
  "that waits for the restore": async (stage) => {
    await stage.signedIn();
    return stage.start();
  },
  "that is sent again after a 401": async (stage) => {
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    return app;
  },
};

describe.each(Object.entries(late))("R46 a call %s", (_, prepare) => {
  it("goes to the address that it was made with, though the URL object is used for the next page", async () => {
    const stage = scene();
    const app = await prepare(stage);
    const url = new URL(`${API}/notes`);
    const calls = [1, 2, 3].map((page) => {
      url.searchParams.set("page", String(page));
      return app.session.fetch(url);
    });
    await stage.clock.until(Promise.all(calls));
    const accepted = stage.server.apiCalls.filter(({ status }) => status === 200).map(({ url }) => url.slice(API.length));
    expect(accepted.sort()).toEqual(["/notes?page=1", "/notes?page=2", "/notes?page=3"]);
  });

  it("takes the bearer to no other host, whatever becomes of the URL object", async () => {
    const stage = scene();
    const app = await prepare(stage);
    const url = new URL(`${API}/notes`);
    const call = app.session.fetch(url, { method: "DELETE" });
    url.host = "evil.test";
    await stage.clock.until(call);
    expect(stage.server.apiCalls.every(({ url, method }) => url === `${API}/notes` && method === "DELETE")).toBe(true);
  });

  it("sends the init, the headers and the body that it was made with", async () => {
    const stage = scene();
    const app = await prepare(stage);
    const headers = new Headers({ "x-a": "1" });
    const body = new URLSearchParams("a=1");
    const init: RequestInit = { method: "POST", headers, body };
    const call = app.session.fetch(`${API}/notes`, init);
    headers.set("x-a", "2");
    body.set("a", "2");
    init.method = "GET";
    init.headers = { authorization: "Bearer mine" };
    init.body = null;
    await stage.clock.until(call);
    expect(stage.server.apiCalls.map(({ method, headers, body }) => [method, headers["x-a"], text(body)])).toEqual(
      stage.server.apiCalls.map(() => ["POST", "1", "a=1"]),
    );
    expect(stage.server.apiCalls.at(-1)?.status).toBe(200);
  });

  it("sends the Request that it was made with, which the caller may read or send meanwhile only as the platform lets it", async () => {
    const stage = scene();
    const app = await prepare(stage);
    const request = new Request(`${API}/notes`, { method: "PUT", body: "whole", headers: { "x-a": "1" } });
    const call = app.session.fetch(request);
    expect(request.bodyUsed).toBe(true);
    request.headers.set("x-a", "2");
    await stage.clock.until(call);
    const last = stage.server.apiCalls.at(-1);
    expect([last?.status, last?.method, last?.headers["x-a"], text(last?.body)]).toEqual([200, "PUT", "1", "whole"]);
  });

  it("resolves a relative address against the page as it was then", async () => {
    const stage = scene();
    const app = await prepare(stage);
    let base = `${API}/one/`;
    const tab = stage.world.tab();
    const environment = { ...tab.environment };
    Object.defineProperty(environment, "baseUrl", { get: () => base });
    app.bare.dispose();
    const moved = stage.start({ environment, allowedOrigins: [API] }, { tab });
    const call = moved.session.fetch("notes");
    base = "https://evil.test/";
    await stage.clock.until(call);
    expect(new Set(stage.server.apiCalls.map(({ url }) => url))).toEqual(new Set([`${API}/one/notes`]));
  });
});

describe("R47 an init that is a Request", () => {
  it("is a POST with its body, and is sent again whole", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    const init = new Request(`${API}/notes`, { method: "POST", body: "whole", headers: { "x-a": "1" } });
    expect((await stage.clock.until(app.session.fetch(`${API}/v2/notes`, init))).status).toBe(200);
    expect(stage.server.apiCalls.map(({ url, method, headers, body }) => [url, method, headers["x-a"], text(body)])).toEqual([
      [`${API}/v2/notes`, "POST", "1", "whole"],
      [`${API}/v2/notes`, "POST", "1", "whole"],
    ]);
  });
});

describe("R50 only http and https", () => {
  it.each([
    "blob:https://api.example.test/0f",
    "filesystem:https://api.example.test/x",
    "data:,x",
    "about:blank",
    "ws://api.example.test/",
  ])("%s gets no bearer, and waits for none", async (address) => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    const seen: unknown[] = [];
    const call = app.session.wrap(async (input, init) => {
      seen.push([input, init]);
      return new Response("here");
    });
    expect(await (await call(address)).text()).toBe("here");
    expect(seen).toEqual([[address, undefined]]);
    expect(stage.server.stats.attempts).toBe(0);
  });
});

describe("R52 where the token is in a cookie", () => {
  it("a Request that says omit is sent so; whatever else it says, the cookie goes along", async () => {
    const stage = scene();
    const tab = stage.world.tab();
    const credentials: (string | undefined)[] = [];
    const { fetch } = tab.environment;
    const watched: typeof fetch = (input, init) => {
      credentials.push(new Request(input, init).credentials);
      return fetch(input, init);
    };
    const app = await stage.open(
      { refresh: cookie({ url: `${API}/renew`, accessTokenField: null }), environment: { ...tab.environment, fetch: watched } },
      { tab },
    );
    await stage.clock.until(app.session.signIn({ expiresIn: 300 }));
    stage.server.apiAnswer = () => json(200, {});
    for (const said of ["omit", "same-origin", "include"] as const) {
      await stage.clock.until(app.session.fetch(new Request(`${API}/me`, { credentials: said })));
      await stage.clock.until(app.session.fetch(`${API}/me`, { credentials: said }));
    }
    await stage.clock.until(app.session.fetch(`${API}/me`, { credentials: undefined } as unknown as RequestInit));
    await stage.clock.until(app.session.fetch(new Request(`${API}/me`, { credentials: "omit" }), { credentials: "include" }));
    expect(credentials).toEqual(["omit", "omit", "include", "same-origin", "include", "include", "include", "include"]);
    await stage.clock.advance(SECOND);
  });
});

describe("R47 a Request whose body init replaces", () => {
  it.each(["fresh", "expired", "revoked"])("may have been used, and is left unread (the token is %s)", async (how) => {
    const stage = scene();
    const app = await stage.signedIn();
    if (how === "expired") await stage.clock.sleep(2 * HOUR);
    if (how === "revoked") stage.server.grants.expireAccessTokens();
    const used = new Request(`${API}/x`, { method: "POST", body: "first", headers: { "x-a": "1" } });
    const unread = new Request(`${API}/x`, { method: "POST", body: "first" });
    await used.text();
    for (const request of [used, unread]) {
      expect((await stage.clock.until(app.session.fetch(request, { body: "second" }))).status).toBe(200);
      expect(text(stage.server.apiCalls.at(-1)?.body)).toBe("second");
    }
    expect([unread.bodyUsed, stage.server.apiCalls[0]?.headers["x-a"]]).toEqual([false, "1"]);
  });

  it("keepalive of a Request as init is said by the init, too, since Firefox forgets a Request's", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    let seen: RequestInit | undefined;
    const call = app.session.wrap(async (_, init) => {
      seen = init;
      return new Response("");
    });
    await call(`${API}/x`, new Request(`${API}/y`, { keepalive: true }));
    expect(seen?.keepalive).toBe(true);
  });
});
