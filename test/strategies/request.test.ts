import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { SessionError } from "../../src/errors.js";
import { cookie } from "../../src/strategies/cookie.js";
import { oauth2 } from "../../src/strategies/oauth2.js";
import { sliding } from "../../src/strategies/sliding.js";
import { tokenPair } from "../../src/strategies/token-pair.js";
import type { RefreshStrategy, TokenSet } from "../../src/types/index.js";
import { json, renewal, TOKENS, text } from "./answers.js";

const PAGE = "https://app.example.test";
const WAYS: Record<string, (path: string, signOut?: string) => RefreshStrategy> = {
  oauth2: (path, signOut = path) => oauth2({ tokenEndpoint: path, clientId: "spa", revocationEndpoint: signOut }),
  tokenPair: (path, signOut = path) => tokenPair({ url: path, signOutUrl: signOut }),
  cookie: (path, signOut = path) => cookie({ url: path, signOutUrl: signOut }),
  sliding: (path, signOut = path) => sliding({ url: path, signOutUrl: signOut }),
};
const ways = Object.entries(WAYS);

/** What is sent when the strategy renews and tells of a sign-out, by a page of this origin. */
async function sent(strategy: RefreshStrategy, { origin, tokens = TOKENS }: { origin?: string; tokens?: TokenSet } = {}) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push(new Request(input, init));
    return json(200, { accessToken: "new", access_token: "new" });
  };
  const { signal } = new AbortController();
  const renewed = await Promise.resolve(strategy.refresh({ tokens, cause: "due", attempt: 1, signal, fetch, origin })).catch(
    (error: SessionError) => error,
  );
  const told = await Promise.resolve(strategy.revoke?.({ tokens, fetch, origin })).catch((error: SessionError) => error);
  return { requests, renewed, told };
}

/** A server of its own, and how often it was asked. */
async function listen(status: number, headers: (url: string) => Record<string, string> = () => ({})) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request
      .on("data", (chunk: Buffer) => asked.push(chunk.toString()))
      .on("end", () => {
        asked.push(request.url ?? "");
        response.writeHead(status, headers(url)).end("moved");
      });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url, asked };
}

const over = (fetch: typeof globalThis.fetch) => ({
  tokens: TOKENS,
  cause: "due" as const,
  attempt: 1,
  signal: new AbortController().signal,
  fetch,
});
const failureOf = async (strategy: RefreshStrategy, fetch: typeof globalThis.fetch) =>
  Promise.resolve(strategy.refresh(over(fetch))).catch((error: unknown) => error) as Promise<SessionError>;

describe("R58 a path", () => {
  it.each(ways)("of %s goes to the page's own origin, whatever <base> says", async (_, make) => {
    class BasedRequest extends Request {
      constructor(input: RequestInfo | URL, init?: RequestInit) {
        super(typeof input === "string" ? new URL(input, "https://base.evil.test/") : input, init);
      }
    }
    vi.stubGlobal("Request", BasedRequest);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { requests } = await sent(make("/auth/token?a=1", "/auth/end"), { origin: PAGE });
    expect(requests.map(({ url }) => url)).toEqual([`${PAGE}/auth/token?a=1`, `${PAGE}/auth/end`]);
  });

  it("to revoke at, beside an issuer, does so, too", async () => {
    const strategy = oauth2({ issuer: "https://auth.example.test", clientId: "spa", revocationEndpoint: "/revoke" });
    expect((await sent(strategy, { origin: PAGE })).requests.at(-1)?.url).toBe(`${PAGE}/revoke`);
  });

  it.each(ways)("of %s fails without a page, is not repeated, and an absolute URL does not need one", async (_, make) => {
    const { requests, renewed, told } = await sent(make("/auth/token"));
    const failure = { code: "configuration", message: expect.stringContaining("/auth/token") as string, lost: false };
    expect([requests, renewed, told]).toMatchObject([[], failure, failure]);
    expect((await sent(make("https://auth.example.test/x"))).requests.map(({ url }) => url)).toEqual([
      "https://auth.example.test/x",
      "https://auth.example.test/x",
    ]);
  });

  it.each(ways)("of %s that no request can have loses nothing, and nothing is sent", async (_, make) => {
    const { requests, renewed } = await sent(make("https://user:secret@auth.example.test/x"));
    expect([requests, renewed]).toMatchObject([[], { code: "configuration", lost: false }]);
  });

  it.each(ways)('of %s is not needed by an absolute URL on a page whose origin is "null"', async (_, make) => {
    const { requests, renewed } = await sent(make("https://auth.example.test/x"), { origin: "null" });
    expect([requests.map(({ url }) => url), renewed]).toMatchObject([Array(2).fill("https://auth.example.test/x"), {}]);
  });

  it.each([
    "//evil.test/x",
    "/\\evil.test/x",
    "/\t/evil.test/x",
    "/\n\\evil.test",
    "\\\\evil.test",
    "https:\\\\evil.test",
    "https:///evil.test",
    "x",
  ])("that browsers read as another origin's, or as none, is a TypeError: %j", (path) => {
    for (const [, make] of ways) {
      expect(() => make(path)).toThrow(TypeError);
      expect(() => make("/fine", path)).toThrow(TypeError);
    }
  });
});

describe("R59 what tells of a sign-out", () => {
  const told = async (make: (path: string) => RefreshStrategy, bytes: number) =>
    (await sent(make("https://auth.example.test/x"), { tokens: { accessToken: "a", refreshToken: "r".repeat(bytes) } })).requests[1]!;

  it.each(ways)("by %s follows no redirect, is not stored, and outlives the page", async (_, make) => {
    const request = await told(make, 10);
    expect([request.redirect, request.cache, request.keepalive]).toEqual(["error", "no-store", true]);
  });

  it.each(ways.filter(([way]) => way === "oauth2" || way === "tokenPair"))(
    "by %s is sent above 64 KiB, too, where no browser keeps a request alive",
    async (_, make) => {
      const rest = (await (await told(make, 1)).clone().text()).length - 1;
      expect([(await told(make, 65_536 - rest)).keepalive, (await told(make, 65_537 - rest)).keepalive]).toEqual([true, false]);
      // A body is measured in bytes.
      const wide = tokenPair({ url: "https://a.test/", signOutUrl: "https://a.test/", body: () => "é".repeat(40_000) });
      expect((await told(() => wide, 1)).keepalive).toBe(false);
    },
  );

  it.each(ways)("by %s takes no token to where a real server redirects", async (_, make) => {
    const elsewhere = await listen(200);
    for (const status of [302, 307, 308]) {
      const server = await listen(status, () => ({ location: `${elsewhere.url}/landed` }));
      await make(server.url)
        .revoke?.({ tokens: TOKENS, fetch })
        .catch(() => {});
      expect(server.asked.at(-1)).toBe("/");
    }
    expect(elsewhere.asked).toEqual([]);
  });
});

describe("R61 headers of one's own", () => {
  it.each([
    ["a record", { Accept: "text/plain", "CONTENT-TYPE": "application/vnd.api+json", Authorization: "Own 1" }],
    ["Headers", new Headers({ accept: "text/plain", "content-type": "application/vnd.api+json", authorization: "Own 1" })],
    [
      "pairs",
      [
        ["ACCEPT", "text/plain"],
        ["Content-Type", "application/vnd.api+json"],
        ["authorizatioN", "Own 1"],
      ] as [string, string][],
    ],
  ])("replace the defaults in any case of letters, as %s and from a function", async (_, headers) => {
    const url = "https://app.example.test/renew";
    for (const given of [headers, async () => headers]) {
      for (const strategy of [tokenPair({ url, headers: given }), sliding({ url, headers: given }), cookie({ url, headers: given })]) {
        const { request } = await renewal(strategy, json(200, { accessToken: "new" }));
        expect(["accept", "content-type", "authorization"].map((name) => request.headers.get(name))).toEqual([
          "text/plain",
          "application/vnd.api+json",
          "Own 1",
        ]);
      }
    }
  });

  it("replace the CSRF header of cookie, and leave what they do not name", async () => {
    const csrf = { header: "X-CSRF", value: () => "theirs" };
    const strategy = cookie({ url: "https://app.example.test/renew", csrf, headers: { "x-csrf": "own" } });
    const { request } = await renewal(strategy, json(200, {}));
    expect([request.headers.get("x-csrf"), request.headers.get("accept")]).toEqual(["own", "application/json"]);
  });
});

describe("R70 a redirect of the token endpoint", () => {
  it.each(ways)("by %s is told apart on a real server, and nothing is sent to where it points", async (_, make) => {
    const elsewhere = await listen(200);
    for (const status of [301, 302, 303, 307, 308]) {
      const server = await listen(status, () => ({ location: `${elsewhere.url}/login?next=secret#secret` }));
      const failure = await failureOf(make(`${server.url}/token`), fetch);
      expect(failure).toMatchObject({ code: "server", status, lost: false });
      expect(failure.message).toContain(`${server.url}/token redirects to ${elsewhere.url},`);
      expect(failure.message).not.toContain("secret");
    }
    expect(elsewhere.asked).toEqual([]);
  });

  it.each(ways)("by %s is told apart in a browser, which hides where it points", async (_, make) => {
    let redirect: string | undefined;
    const opaque: typeof fetch = async (input, init) => {
      ({ redirect } = new Request(input, init));
      return Object.defineProperties(new Response(null), { type: { value: "opaqueredirect" }, status: { value: 0 }, ok: { value: false } });
    };
    const failure = await failureOf(make("https://auth.example.test/token"), opaque);
    expect([redirect, failure]).toMatchObject(["manual", { code: "server", status: 0, lost: false }]);
    expect(failure.message).toContain("https://auth.example.test/token redirects");
  });

  it("is no empty answer where the access token is in a cookie, nor anything for `answer`", async () => {
    const answer = vi.fn(() => "refreshed" as const);
    for (const strategy of [cookie({ url: `${PAGE}/x`, accessTokenField: null }), cookie({ url: `${PAGE}/x`, answer })])
      expect((await renewal(strategy, new Response(null, { status: 302 }))).outcome).toMatchObject({ code: "server", lost: false });
    expect(answer).not.toHaveBeenCalled();
  });

  it("is told apart behind msw, too", async () => {
    const server = setupServer(
      http.post("https://auth.example.test/token", () => new HttpResponse(null, { status: 307, headers: { location: "/login" } })),
      http.all("*", () => HttpResponse.json({ access_token: "stolen" })),
    );
    server.listen();
    onTestFinished(() => server.close());
    const failure = await failureOf(WAYS.oauth2!("https://auth.example.test/token"), (input, init) => fetch(input, init));
    expect(failure).toMatchObject({ code: "server", status: 307, lost: false });
  });

  it.each([
    ["with a token in it", `https://b.test/${"t".repeat(40)}/x`, "https://b.test,"],
    ["with the token that was sent as its path", "https://b.test:8443/secret-refresh", "https://b.test:8443,"],
    ["with a short value in its path", "https://b.test/login;jsessionid=secret", "https://b.test,"],
    ["with a user name", "https://ada:secret@b.test/", "elsewhere,"],
    ["without end", `/a${"/b".repeat(9_000)}`, "elsewhere,"],
    ["of a name without end", `https://${"secret.".repeat(900)}`, "elsewhere,"],
    ["that is no URL", "http://[secret", "elsewhere,"],
    ["that is missing", null, "elsewhere,"],
  ])("to a place %s is named by its origin alone", async (_, location, named) => {
    const answer = new Response(null, { status: 302, headers: location === null ? {} : { location } });
    const { outcome } = await renewal(WAYS.oauth2!("https://auth.example.test/token"), answer);
    expect(outcome).toMatchObject({ code: "server", lost: false });
    expect(outcome.message).toContain(`https://auth.example.test/token redirects to ${named}`);
    expect(outcome.message).not.toMatch(/secret|tttt/);
    expect(outcome.message.length).toBeLessThan(400);
  });

  it.each(ways)("by %s is told without the endpoint's own query, which may be secret", async (_, make) => {
    const answer = () => new Response(null, { status: 302 });
    for (const [path, origin] of [
      ["https://auth.example.test/token?key=secret", PAGE],
      ["/token?key=secret#secret", PAGE],
      ["/token?key=secret", undefined],
    ] as const) {
      const failure = (await Promise.resolve(make(path).refresh({ ...over(async () => answer()), origin })).catch(
        (error) => error,
      )) as SessionError;
      expect(failure.message).toContain("/token ");
      expect(failure.message).not.toContain("secret");
    }
  });

  it("of an issuer's configuration is told apart the same way", async () => {
    const server = await listen(302, () => ({ location: "https://elsewhere.test/" }));
    const failure = await failureOf(oauth2({ issuer: server.url, clientId: "spa" }), fetch);
    expect(failure).toMatchObject({ code: "server", status: 302, lost: false });
    expect(failure.message).toContain(`${server.url}/.well-known/openid-configuration redirects to https://elsewhere.test,`);
  });

  it("is not one that has another status: 300, 304", async () => {
    for (const status of [300, 304])
      expect((await renewal(WAYS.oauth2!(`${PAGE}/x`), new Response(null, { status }))).outcome.message).toBe(
        `the server answered ${status}`,
      );
  });
});

describe("R82 a form-encoded answer", () => {
  const FORM = "application/x-www-form-urlencoded";

  it.each([FORM, `${FORM}; charset=utf-8`, "Application/X-WWW-Form-URLEncoded;charset=UTF-8"])(
    "is read when it says so: %s",
    async (type) => {
      const body = "access_token=gho_1&expires_in=28800&refresh_token=ghr_1&scope=a%2Cb+c&token_type=bearer\n";
      for (const [, make] of ways) {
        const { outcome } = await renewal(make(`${PAGE}/token`), text(200, body, type));
        expect(outcome).toMatchObject({ access_token: "gho_1", expires_in: "28800", refresh_token: "ghr_1", scope: "a,b c" });
      }
    },
  );

  it("may be a refusal", async () => {
    const body = (error: string, status = 200) => text(status, `error=${error}&error_uri=%2Fx`, FORM);
    const answer = ({ json }: { json: unknown }) =>
      (json as { error?: string } | undefined)?.error === "bad_refresh_token" ? ("rejected" as const) : undefined;
    const strategy = oauth2({ tokenEndpoint: `${PAGE}/token`, clientId: "spa", answer });
    expect((await renewal(strategy, body("bad_refresh_token"))).outcome.code).toBe("rejected");
    expect((await renewal(strategy, body("invalid_grant"))).outcome.code).toBe("rejected");
    expect((await renewal(strategy, body("invalid_client", 401))).outcome.code).toBe("configuration");
  });

  it("is none when it is empty, or does not say so", async () => {
    const strategy = WAYS.oauth2!(`${PAGE}/token`);
    for (const answer of [text(200, "", FORM), text(200, "access_token=a", "text/plain"), text(401, "<h1>", "text/html")])
      expect(["invalid-response", "server"]).toContain((await renewal(strategy, answer)).outcome.code);
    expect((await renewal(strategy, text(200, '{"access_token":"a"}', FORM))).outcome).toMatchObject({ access_token: "a" });
  });
});

describe("R63 a refusal in other words", () => {
  const grant = oauth2({ tokenEndpoint: `${PAGE}/token`, clientId: "spa" });
  const error = "invalid_grant";

  it.each([
    ["200", json(200, { error }), "rejected"],
    ["200 and an empty access token", json(200, { error, access_token: "" }), "rejected"],
    ["200 and no access token but null", json(200, { error, access_token: null }), "rejected"],
    ...[400, 401, 402, 403, 404, 409, 410, 422, 451].map((status) => [`${status}`, json(status, { error }), "rejected"] as const),
    ["408", json(408, { error }), "server"],
    ["429", json(429, { error }), "throttled"],
    ["500", json(500, { error }), "server"],
    ["503", json(503, { error }), "server"],
    ["400 and Retry-After", json(400, { error }, { "retry-after": "30" }), "throttled"],
    ["404 and Retry-After", json(404, { error }, { "retry-after": "30" }), "throttled"],
    ["200 and Retry-After", json(200, { error }, { "retry-after": "30" }), "throttled"],
  ] as const)("invalid_grant with %s", async (_, answer, code) => {
    expect((await renewal(grant, answer.clone())).outcome).toMatchObject({ code, status: answer.status });
  });

  it("is none beside an access token", async () => {
    for (const name of ["access_token", "accessToken"])
      expect((await renewal(grant, json(200, { error, [name]: "new" }))).outcome).toMatchObject({ [name]: "new" });
  });

  it.each(ways)("by %s: an answer that says when to come again is none", async (_, make) => {
    const soon = { "retry-after": "30" };
    for (const answer of [
      json(403, { error: "rate_limited" }, soon),
      json(401, {}, soon),
      new Response(null, { status: 400, headers: soon }),
    ])
      expect((await renewal(make(`${PAGE}/x`), answer)).outcome).toMatchObject({ code: "throttled", retryAfter: 30_000 });
  });

  it.each([
    ["{}", {}, {}],
    ["[]", [], {}],
    ["false", false, {}],
    ["null", null, {}],
    ["a null token", { accessToken: null }, {}],
    ["a null token in the other spelling", { access_token: null, user: null }, {}],
    ["a null token of another name", { token: null }, { accessTokenField: "token" }],
    ["a null token at the end of a path", { data: { token: null } }, { accessTokenField: "data.token" }],
    ["a null on the way to the token", { session: null }, { accessTokenField: "session.token" }],
  ])("by cookie: 200 with %s", async (_, value, options) => {
    const url = `${PAGE}/x`;
    expect((await renewal(cookie({ url, ...options }), json(200, value))).outcome.code).toBe("rejected");
    expect((await renewal(cookie({ url, ...options }), json(503, value))).outcome.code).toBe("server");
    expect((await renewal(cookie({ url, ...options }), json(200, value, { "retry-after": "9" }))).outcome.code).not.toBe("rejected");
    // Of the other ways it is none.
    expect((await renewal(tokenPair({ url, ...options }), json(200, value))).outcome.code).not.toBe("rejected");
    if (value !== null)
      expect((await renewal(cookie({ url, accessTokenField: null }), json(200, value))).outcome.code).not.toBe("rejected");
  });

  it.each([
    ["an unknown member", { ok: true }, {}],
    ["a token beside a null of the other spelling", { access_token: "new", accessToken: null }, {}],
    ["an empty member where the token's was to be", { data: {} }, { accessTokenField: "data.token" }],
    ["an empty text", "", {}],
    ["0", 0, {}],
  ])("by cookie: 200 with %s is none", async (_, value, options) => {
    expect((await renewal(cookie({ url: `${PAGE}/x`, ...options }), json(200, value))).outcome.code).not.toBe("rejected");
  });
});
