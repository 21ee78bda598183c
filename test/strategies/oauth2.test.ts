import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { oauth2 } from "../../src/strategies/oauth2.js";
import { json, renewal, text, TOKENS as tokens } from "./answers.js";

const ENDPOINT = "https://auth.example.test/token";

/** One refresh against a server that answers this. */
const refresh = (answer: Response | Error, options: Partial<Parameters<typeof oauth2>[0]> = {}) =>
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
      "error",
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

  it("never resends after a 503 or a 429 either, whatever ky would do", async () => {
    for (const status of [408, 429, 500, 502, 503, 504])
      expect((await refresh(json(status, {}, { "retry-after": "0" }))).requests).toHaveLength(1);
  });

  it.each([
    ["30", {}, 30_000],
    ["0", {}, 0],
    ["1.5", {}, 1_500],
    ["Tue, 01 Jan 2030 00:01:00 GMT", { date: "Tue, 01 Jan 2030 00:00:00 GMT" }, 60_000],
    ["99999999999", {}, 86_400_000],
    ["-5", {}, undefined],
    ["soon", {}, undefined],
  ])("R21 reads Retry-After: %s", async (value, headers, milliseconds) => {
    const { outcome } = await refresh(json(429, {}, { "retry-after": value, ...headers }));
    expect(outcome.retryAfter).toBe(milliseconds);
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
