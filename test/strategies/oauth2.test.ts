import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { type OAuth2Options, oauth2 } from "../../src/strategies/oauth2.js";
import { json, renewal, text, TOKENS as tokens } from "./answers.js";

const ENDPOINT = "https://auth.example.test/token";

/** One refresh against a server that answers this. */
const refresh = (answer: Response | Error, options: Partial<Omit<OAuth2Options, "issuer" | "tokenEndpoint">> = {}) =>
  renewal(oauth2({ tokenEndpoint: ENDPOINT, clientId: "spa", ...options }), answer);

describe("the refresh grant", () => {
  it("sends one form, as RFC 6749 §6 has it, without credentials", async () => {
    const { requests, outcome } = await refresh(json(200, { access_token: "new", expires_in: 60 }), {
      scope: "read",
      parameters: { resource: "urn:api" },
    });
    expect(outcome).toMatchObject({ access_token: "new" });
    expect(requests).toHaveLength(1);
    const [request] = requests as [Request];
    expect([request.method, request.url, request.credentials, request.redirect, request.headers.get("authorization")]).toEqual([
      "POST",
      ENDPOINT,
      "omit",
      "manual",
      null,
    ]);
    expect(Object.fromEntries(new URLSearchParams(await request.text()))).toEqual({
      grant_type: "refresh_token",
      refresh_token: "secret-refresh",
      client_id: "spa",
      scope: "read",
      resource: "urn:api",
    });
  });

  it.each([
    ["R19 invalid_grant", json(400, { error: "invalid_grant" }), "rejected"],
    ["R19 an empty 400", new Response("", { status: 400 }), "rejected"],
    ["R19 an empty 401", new Response(null, { status: 401 }), "rejected"],
    ["R19 an HTML 400", text(400, "<h1>Bad request</h1>"), "server"],
    ["R19 an HTML 401", text(401, "<h1>Proxy</h1>"), "server"],
    ["R19 an HTML 403", text(403, "<h1>Portal</h1>"), "server"],
    ["an empty 403", new Response("", { status: 403 }), "server"],
    ["invalid_client", json(401, { error: "invalid_client" }), "configuration"],
    ["invalid_scope", json(400, { error: "invalid_scope" }), "configuration"],
    ["R18 408", text(408, "slow"), "server"],
    ["R18 500", text(500, "oops"), "server"],
    ["R18 503 with JSON", json(503, { error: "invalid_grant" }), "server"],
    ["R18 a 200 that is HTML", text(200, "<h1>Welcome</h1>"), "invalid-response"],
    ["R18 a 200 that is empty", new Response("", { status: 200 }), "invalid-response"],
    ["R21 429", json(429, {}), "throttled"],
    ["R21 429 that is HTML", text(429, "<h1>Slow down</h1>"), "throttled"],
    ["a passing OAuth error", json(400, { error: "temporarily_unavailable" }), "server"],
  ])("takes %s for what it is", async (_, answer, code) => {
    const { outcome } = await refresh(answer);
    expect(outcome).toMatchObject({ name: "SessionError", code, status: answer.status });
  });

  it("R30 never resends: a network error is told after one request", async () => {
    const { requests, outcome } = await refresh(new TypeError("Failed to fetch"));
    expect([requests.length, outcome]).toMatchObject([1, { code: "network", lost: true, cause: { message: "Failed to fetch" } }]);
  });

  it("never resends after a 503 or a 429 either", async () => {
    for (const status of [408, 429, 500, 502, 503, 504])
      expect((await refresh(json(status, {}, { "retry-after": "0" }))).requests).toHaveLength(1);
  });

  it.each([
    ["30", {}, 30_000],
    ["30, 120", {}, 120_000],
    ["120, 120", {}, 120_000],
    ["0", {}, undefined],
    ["0, 0", {}, undefined],
    ["1.5", {}, 1_500],
    ["Tue, 01 Jan 2030 00:01:00 GMT", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, 60_000],
    ["Tue, 01 Jan 2030 00:00:00 GMT", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, undefined],
    ["Tue, 01 Jan 2030 00:00:00 GMT", { date: "Tue, 01 Jan 2030 00:01:00 GMT" }, undefined],
    ["Tuesday, 01-Jan-30 00:01:00 GMT", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, 60_000],
    ["Tue Jan  1 00:01:00 2030", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, 60_000],
    ["Tue, 01 Jan 2030 00:01:00 GMT, Tue, 01 Jan 2030 00:01:00 GMT", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, 60_000],
    ["Wed, 01 Jan 2031 00:00:00 GMT", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, 86_400_000],
    ["99999999999", {}, 86_400_000],
    ["9".repeat(400), {}, 86_400_000],
    [" 30 ", {}, 30_000],
    ["", {}, undefined],
    ["-5", {}, undefined],
    ["-120", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, undefined],
    ["30 s", {}, undefined],
    ["in 3000", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, undefined],
    ["soon", {}, undefined],
  ])("R21 reads Retry-After: %s", async (value, headers, milliseconds) => {
    const { outcome } = await refresh(json(429, {}, { "retry-after": value, ...headers }));
    expect(outcome).toMatchObject({ code: "throttled", retryAfter: milliseconds });
  });

  it("R64 an answer is throttled if it asks to wait, and what it is otherwise", async () => {
    for (const [status, code] of [
      [503, "server"],
      [403, "server"],
      [200, "invalid-response"],
    ] as const) {
      const answered = async (value: string) =>
        (await refresh(new Response("later", { status, headers: { "retry-after": value } }))).outcome;
      expect(await answered("5")).toMatchObject({ code: "throttled", status, retryAfter: 5_000 });
      expect(await answered("0")).toMatchObject({ code, status, retryAfter: undefined });
      expect(await answered("Tue, 01 Jan 2019 00:00:00 GMT")).toMatchObject({ code, status, retryAfter: undefined });
    }
  });

  it("R39 has no token in its errors, even when the server echoes them", async () => {
    const echo = "secret-refresh secret-access";
    for (const answer of [
      json(400, { error: echo }),
      json(400, { error: "invalid_grant", error_description: echo }),
      text(500, echo),
      text(200, `{"access_token":"secret-access`),
    ]) {
      const { outcome } = await refresh(answer);
      expect(outcome).toBeInstanceOf(SessionError);
      expect(`${outcome.message} ${outcome.stack} ${JSON.stringify(outcome)} ${String(outcome.cause)}`).not.toMatch(/secret/);
    }
  });

  it("names itself by endpoint and client, so that two apps of one origin do not collide", () => {
    const one = oauth2({ tokenEndpoint: ENDPOINT, clientId: "a" });
    expect(one.id).not.toBe(oauth2({ tokenEndpoint: ENDPOINT, clientId: "b" }).id);
    expect(one.id).not.toBe(oauth2({ tokenEndpoint: `${ENDPOINT}2`, clientId: "a" }).id);
    expect(one.needsRefreshToken).toBe(true);
  });

  it("R43 revokes the refresh token only, and only where there is an endpoint for it", async () => {
    expect(oauth2({ tokenEndpoint: ENDPOINT, clientId: "a" }).revoke).toBeUndefined();
    const requests: Request[] = [];
    const strategy = oauth2({ tokenEndpoint: ENDPOINT, clientId: "a", revocationEndpoint: "https://auth.example.test/revoke" });
    const fetch: typeof globalThis.fetch = async (input, init) => {
      requests.push(new Request(input, init));
      return new Response();
    };
    await strategy.revoke?.({ tokens, fetch });
    await strategy.revoke?.({ tokens: { accessToken: "a" }, fetch });
    expect(requests).toHaveLength(1);
    const form = new URLSearchParams(await requests[0]?.text());
    expect([requests[0]?.url, form.get("token"), form.get("token_type_hint")]).toEqual([
      "https://auth.example.test/revoke",
      "secret-refresh",
      "refresh_token",
    ]);
  });
});

describe("an issuer", () => {
  const ISSUER = "https://auth.example.test";
  const document = { issuer: ISSUER, token_endpoint: `${ISSUER}/t`, revocation_endpoint: `${ISSUER}/r` };

  /** A server that answers this when asked for its configuration. */
  function setUp(configuration: () => Response | Error, issuer = ISSUER) {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const { method, url, credentials } = new Request(input, init);
      asked.push(`${method} ${url} ${credentials}`);
      const answer = url.includes("well-known") ? configuration() : json(200, { access_token: "new" });
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const strategy = oauth2({ issuer, clientId: "spa" });
    const refresh = () =>
      Promise.resolve(strategy.refresh({ tokens, cause: "due", attempt: 1, signal: new AbortController().signal, fetch })).catch(
        (error: unknown) => error,
      );
    return { asked, strategy, fetch, refresh };
  }

  it("is asked for its endpoints once, at the first use", async () => {
    const { asked, strategy, fetch, refresh } = setUp(() => json(200, document));
    expect(asked).toEqual([]);
    expect([await refresh(), await refresh()]).toEqual([{ access_token: "new" }, { access_token: "new" }]);
    await strategy.revoke?.({ tokens, fetch });
    expect(asked).toEqual([
      `GET ${ISSUER}/.well-known/openid-configuration omit`,
      `POST ${ISSUER}/t omit`,
      `POST ${ISSUER}/t omit`,
      `POST ${ISSUER}/r omit`,
    ]);
  });

  it("that has no revocation endpoint is not told of a sign-out", async () => {
    const { asked, strategy, fetch } = setUp(() => json(200, { ...document, revocation_endpoint: undefined }));
    await strategy.revoke?.({ tokens, fetch });
    expect(asked).toHaveLength(1);
  });

  it.each([
    ["says it is another one", () => json(200, { ...document, issuer: "https://evil.test" })],
    ["has a less protected endpoint", () => json(200, { ...document, token_endpoint: "http://auth.example.test/t" })],
    ["has no endpoint", () => json(200, { issuer: ISSUER })],
    ["answers 401", () => json(401, {})],
    ["answers 404", () => json(404, {})],
    ["answers HTML", () => text(200, "<h1>Portal</h1>")],
    ["cannot be reached", () => new TypeError("Failed to fetch")],
  ])("that %s gets no refresh token; not now, and asked again next time", async (_, answer) => {
    const { asked, refresh } = setUp(answer);
    const failure = (await refresh()) as SessionError;
    expect(failure).toBeInstanceOf(SessionError);
    expect(["network", "server", "invalid-response"]).toContain(failure.code);
    expect(failure.lost, "no refresh token was in the request").toBe(false);
    expect(failure.message).toMatch(/^discovery at https:\/\/auth\.example\.test\/\.well-known\/openid-configuration: (?!discovery)/);
    const again = (await refresh()) as SessionError;
    expect([asked.length, again.message]).toEqual([2, failure.message]);
  });

  it("is an absolute URL, and instead of a token endpoint", () => {
    for (const end of ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/tenant", "?a=1", "/#x"])
      expect(() => oauth2({ issuer: ISSUER + end, clientId: "spa" })).toThrow(
        new TypeError("oauth2: give either tokenEndpoint or issuer; issuer is an absolute URL without /.well-known/… and query"),
      );
    expect(() => oauth2({ issuer: "/auth", clientId: "spa" })).toThrow(/issuer is an absolute URL/);
    expect(() => oauth2({ issuer: ISSUER, tokenEndpoint: ENDPOINT, clientId: "spa" } as never)).toThrow(/either tokenEndpoint/);
  });
});
