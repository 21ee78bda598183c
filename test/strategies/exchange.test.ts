import { describe, expect, it, vi } from "vitest";
import { cookie } from "../../src/strategies/cookie.js";
import { sliding } from "../../src/strategies/sliding.js";
import { tokenPair } from "../../src/strategies/token-pair.js";
import { parseTokens } from "../../src/token/parse.js";
import { json, renewal, TOKENS, text } from "./answers.js";

const url = "https://app.example.test/auth/refresh";
const ways = { tokenPair: tokenPair({ url }), cookie: cookie({ url }), sliding: sliding({ url }) };

describe.each(Object.entries(ways))("%s", (_, strategy) => {
  it("asks once, by POST, for JSON, and follows no redirect", async () => {
    const { requests, request, outcome } = await renewal(strategy, json(200, { accessToken: "new", expiresIn: 60 }));
    expect(outcome).toMatchObject({ accessToken: "new", expiresIn: 60 });
    expect([requests.length, request.method, request.url, request.redirect, request.headers.get("accept")]).toEqual([
      1,
      "POST",
      url,
      "manual",
      "application/json",
    ]);
  });

  it.each([
    ["a 400 with JSON", json(400, { message: "no" }), "rejected"],
    ["a 401 with JSON", json(401, { message: "no" }), "rejected"],
    ["an empty 400", new Response("", { status: 400 }), "rejected"],
    ["an empty 401", new Response(null, { status: 401 }), "rejected"],
    ["a 403 with JSON", json(403, { message: "no" }), "rejected"],
    ["an empty 403", new Response("", { status: 403 }), "server"],
    ["an HTML 401", text(401, "<h1>Proxy</h1>"), "server"],
    ["X9 an HTML 403", text(403, "<h1>Portal</h1>"), "server"],
    ["R18 404", json(404, {}), "server"],
    ["R18 500 with JSON", json(500, {}), "server"],
    ["R18 a 200 that is HTML", text(200, "<h1>Welcome</h1>"), "invalid-response"],
    ["R18 a 200 that is empty", new Response("", { status: 200 }), "invalid-response"],
    ["R18 a 204", new Response(null, { status: 204 }), "invalid-response"],
    ["R21 429", json(429, {}, { "retry-after": "7" }), "throttled"],
  ])("R19 takes %s for what it is", async (_, answer, code) => {
    const { outcome } = await renewal(strategy, answer.clone());
    expect(outcome).toMatchObject({ name: "SessionError", code, status: answer.status });
  });

  it("R23 takes a body that was cut off for a lost answer", async () => {
    const { outcome } = await renewal(strategy, text(200, '{"accessToken":"secret-acc', "application/json"));
    expect(outcome).toMatchObject({ code: "invalid-response", lost: true });
    expect(`${outcome.message} ${outcome.cause}`).not.toMatch(/secret/);
  });

  it("R23 says that an answer which never came may be lost", async () => {
    expect((await renewal(strategy, new TypeError("Failed to fetch"))).outcome).toMatchObject({ code: "network", lost: true });
  });

  it("takes a token that is all of the answer, as JSON", async () => {
    expect((await renewal(strategy, json(200, "new"))).outcome).toBe("new");
  });
});

describe("answer", () => {
  it("decides before the default does, and undefined leaves it to that", async () => {
    const seen: unknown[] = [];
    const strategy = tokenPair({
      url,
      answer({ status, headers, json, empty, text }) {
        seen.push([status, headers.get("x-code"), json, empty, text]);
        return status === 419 ? "rejected" : status === 401 ? "not-now" : undefined;
      },
    });
    expect((await renewal(strategy, text(419, "gone"))).outcome.code).toBe("rejected");
    expect((await renewal(strategy, json(401, { a: 1 }, { "x-code": "7" }))).outcome.code).toBe("server");
    expect((await renewal(strategy, new Response("", { status: 400 }))).outcome.code).toBe("rejected");
    expect(seen).toEqual([
      [419, null, undefined, false, "gone"],
      [401, "7", { a: 1 }, false, '{"a":1}'],
      [400, null, undefined, true, ""],
    ]);
  });

  it("may take a bare token in a text for tokens", async () => {
    const strategy = sliding({ url, answer: ({ status }) => (status === 200 ? "refreshed" : undefined) });
    expect((await renewal(strategy, text(200, "new\n", "text/plain"))).outcome).toBe("new");
  });

  it("that says something else is told so", async () => {
    const { outcome } = await renewal(tokenPair({ url, answer: () => true as never }), json(200, {}));
    expect(outcome.message).toMatch(/answer\(\) must return "refreshed"/);
  });
});

describe("tokenPair", () => {
  const body = async (strategy = ways.tokenPair, tokens = TOKENS) => (await renewal(strategy, json(200, {}), tokens)).request.json();

  it("posts both tokens, without cookies", async () => {
    const { request } = await renewal(ways.tokenPair, json(200, {}));
    expect(await request.json()).toEqual({ accessToken: "secret-access", refreshToken: "secret-refresh" });
    expect([request.headers.get("content-type"), request.credentials, request.headers.get("authorization")]).toEqual([
      "application/json",
      "omit",
      null,
    ]);
    expect(ways.tokenPair.needsRefreshToken).toBe(true);
  });

  it("names them as the server does, on the way there and back", async () => {
    const strategy = tokenPair({ url, accessTokenField: "data.token", refreshTokenField: "data.refresh", expiresInField: "data.seconds" });
    expect(await body(strategy)).toEqual({ token: "secret-access", refresh: "secret-refresh" });
    const { outcome } = await renewal(strategy, json(200, { data: { token: "t", refresh: "r", seconds: 9 } }));
    expect(outcome).toMatchObject({ accessToken: "t", refreshToken: "r", expiresIn: 9 });
  });

  it("posts what it is told instead, with headers made for it", async () => {
    const strategy = tokenPair({
      url,
      body: () => ({ grant: "long" }),
      headers: ({ refreshToken }) => ({ authorization: `Bearer ${refreshToken}` }),
    });
    const { request } = await renewal(strategy, json(200, {}));
    expect([await request.json(), request.headers.get("authorization")]).toEqual([{ grant: "long" }, "Bearer secret-refresh"]);
  });

  it("with the access token in a cookie: sends the refresh token only, with cookies, and takes an empty answer", async () => {
    const strategy = tokenPair({ url, accessTokenField: null, credentials: "include" });
    expect(strategy.accessTokenInCookie).toBe(true);
    const { request, outcome } = await renewal(strategy, new Response(null, { status: 204 }), { refreshToken: "r" });
    expect([await request.json(), request.credentials, outcome]).toEqual([{ refreshToken: "r" }, "include", {}]);
    expect((await renewal(strategy, json(200, { refreshToken: "r2", expiresIn: 5 }))).outcome).toMatchObject({
      refreshToken: "r2",
      expiresIn: 5,
    });
    expect((await renewal(strategy, text(200, "<h1>Portal</h1>"))).outcome.code).toBe("invalid-response");
  });

  it("R43 tells the server of a sign-out where it has an address for that", async () => {
    expect(ways.tokenPair.revoke).toBeUndefined();
    const requests: Request[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      requests.push(new Request(input, init));
      return new Response();
    };
    await tokenPair({ url, signOutUrl: "https://app.example.test/auth/revoke" }).revoke?.({ tokens: TOKENS, fetch });
    const [request] = requests as [Request];
    expect([request.url, request.keepalive, await request.json()]).toEqual(["https://app.example.test/auth/revoke", true, { ...TOKENS }]);
  });
});

describe("R71 two paths that end alike", () => {
  const alike = { accessTokenField: "access.token", refreshTokenField: "refresh.token" };

  it.each([
    alike,
    { accessTokenField: "token", refreshTokenField: "token" },
    { accessTokenField: "refreshToken" },
    { refreshTokenField: "accessToken" },
  ])("are a TypeError that says to give body: %o", (fields) => {
    expect(() => tokenPair({ url, ...fields })).toThrow(TypeError);
    expect(() => tokenPair({ url, ...fields })).toThrow(/give body/);
  });

  it("are read, and post what body gives", async () => {
    const strategy = tokenPair({
      url,
      ...alike,
      body: ({ accessToken, refreshToken }) => ({ access: accessToken, refresh: refreshToken }),
    });
    const { request, outcome } = await renewal(strategy, json(200, { access: { token: "a" }, refresh: { token: "r" } }));
    expect(await request.json()).toEqual({ access: "secret-access", refresh: "secret-refresh" });
    expect(outcome).toMatchObject({ accessToken: "a", refreshToken: "r" });
    expect(tokenPair({ url, accessTokenField: null, refreshTokenField: "accessToken" }).id).toBe(url);
  });
});

describe("what a renewal gave", () => {
  it("can be copied and added to by whoever wraps the strategy", async () => {
    const strategy = tokenPair({ url, accessTokenField: "data.token" });
    const { outcome } = await renewal(strategy, json(200, { data: { token: "t" }, refresh_token: "r" }));
    expect({ ...outcome, scope: "x" }).toMatchObject({ accessToken: "t", refresh_token: "r", scope: "x" });
  });

  it("R72 is a plain object, also where what came inherits its members, or keeps them private", () => {
    class Answer {
      readonly #token = "t";
      get token() {
        return this.#token;
      }
      get id_token() {
        return `id-${this.#token}`;
      }
      get secret() {
        return this.#token;
      }
    }
    const { read } = tokenPair({ url, accessTokenField: "token" });
    const plain = read?.(new Answer()) as object;
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
    expect({ ...plain }).toMatchObject({ accessToken: "t", id_token: "id-t" });
    expect(structuredClone(read?.(Object.create({ token: "t", refreshToken: "r" })))).toMatchObject({
      accessToken: "t",
      refreshToken: "r",
    });
  });
});

describe("a bare value", () => {
  it.each([true, 5, ["a"]])("that is no text is no token: %j", async (value) => {
    const { outcome } = await renewal(ways.sliding, json(200, value));
    expect(() => parseTokens(outcome)).toThrow(/^expected accessToken/);
  });
});

describe("cookie", () => {
  it("sends cookies and nothing else, and keeps the request alive", async () => {
    const { request } = await renewal(ways.cookie, json(200, { accessToken: "new" }));
    expect([request.credentials, request.keepalive, request.headers.get("authorization"), await request.text()]).toEqual([
      "include",
      true,
      null,
      "",
    ]);
    expect([ways.cookie.needsRefreshToken, ways.cookie.accessTokenInCookie]).toEqual([false, false]);
  });

  it("takes 200 with null for the end, and no other null", async () => {
    expect((await renewal(cookie({ url, method: "GET" }), json(200, null))).outcome).toMatchObject({ code: "rejected", status: 200 });
    expect((await renewal(ways.cookie, json(503, null))).outcome.code).toBe("server");
    expect((await renewal(cookie({ url, accessTokenField: null }), json(200, null))).outcome.code).toBe("rejected");
  });

  it("R18 takes a 403 for no refusal when it had no value for its CSRF header", async () => {
    const forbidden = () => json(403, { message: "CSRF token missing" });
    const strategy = (value?: string) => cookie({ url, csrf: { header: "x-csrf", value: () => value } });
    expect((await renewal(strategy(), forbidden())).outcome).toMatchObject({ code: "server", status: 403 });
    expect((await renewal(strategy("known"), forbidden())).outcome.code).toBe("rejected");
    expect((await renewal(strategy(), json(401, {}))).outcome.code).toBe("rejected");
  });

  it("reads its CSRF header anew each time: from a function, or from a cookie", async () => {
    let value: string | undefined = "one";
    const own = cookie({ url, csrf: { header: "x-csrf", value: () => value } });
    const header = async (strategy = own, name = "x-csrf") => (await renewal(strategy, json(200, {}))).request.headers.get(name);
    expect(await header()).toBe("one");
    value = undefined;
    expect(await header()).toBeNull();

    const read = cookie({ url, csrf: { header: "x-xsrf-token", cookie: "XSRF-TOKEN" } });
    expect(await header(read, "x-xsrf-token")).toBeNull();
    vi.stubGlobal("document", { cookie: "a=b; NOT-XSRF-TOKEN=no; XSRF-TOKEN=a%3Db%20; c=d" });
    expect(await header(read, "x-xsrf-token")).toBe("a=b");
    vi.stubGlobal("document", { cookie: "XSRF-TOKEN=100%" });
    expect(await header(read, "x-xsrf-token")).toBe("100%");
    vi.unstubAllGlobals();
  });
});

describe("sliding", () => {
  it("sends the token as bearer, and nothing when there is none", async () => {
    const { request } = await renewal(ways.sliding, json(200, { token: "new" }));
    expect([request.headers.get("authorization"), request.credentials, await request.text()]).toEqual(["Bearer secret-access", "omit", ""]);
    const { requests, outcome } = await renewal(ways.sliding, json(200, {}), {});
    expect([requests.length, outcome.code]).toEqual([0, "not-renewable"]);
  });
});

describe("a wrong option", () => {
  it.each([
    [() => tokenPair({ url: "auth/refresh" }), /tokenPair: url must be/],
    [() => tokenPair({} as never), /tokenPair: url must be/],
    [() => cookie({ url: "//elsewhere.test/" }), /cookie: url must be/],
    [() => cookie({ url, signOutUrl: "logout" }), /cookie: signOutUrl must be/],
    [() => cookie({ url, csrf: { header: "x" } as never }), /cookie: csrf must be/],
    [() => sliding({ url, every: 0 }), /sliding: every must be milliseconds/],
  ])("is named: %s", (make, message) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});
