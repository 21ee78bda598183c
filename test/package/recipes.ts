import { expect, vi } from "vitest";
import { makeJwt } from "../../src/testing/jwt.js";
import type { Session, Tokens } from "../../src/types/index.js";
import type { openPage, Servers } from "./page.js";

/** What a sample made, for whoever uses it as its reader would. */
export interface Made {
  /** In the order in which the sample made them. */
  readonly sessions: Session[];
  readonly exported: Record<string, unknown>;
  readonly page: ReturnType<typeof openPage>;
}

/** What a sample is good for: the servers it talks of, and a use of what it made. */
export interface Recipe {
  readonly servers: Servers;
  use(made: Made): Promise<void>;
  /** Of `tokenResponse`. @default one that is valid for an hour */
  readonly accessToken?: string;
  /** The sample takes one for granted. */
  readonly needsSession?: true;
}

const now = Math.floor(Date.now() / 1000);
/** Two tokens of one user: the one that the API no longer takes, and the one that it does. */
export const OLD = makeJwt({ sub: "ada", iat: now, exp: now + 3600, softexp: now + 1800, permissions: ["read"] });
const NEW = makeJwt({ sub: "ada", iat: now + 1, exp: now + 7200, softexp: now + 2400, permissions: ["read", "write"] });

const json = (value: unknown, status = 200, headers: Record<string, string> = {}) => Response.json(value, { status, headers });
const oauthAnswer = { access_token: NEW, refresh_token: "r2", token_type: "Bearer", expires_in: 300 };

interface Renewal {
  /** Where it is asked for, and what comes with it. */
  readonly at: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string | null>;
  readonly credentials?: RequestCredentials;
  /** The server's answer. */
  readonly gives: (accessToken: string) => Response;
  readonly api?: string;
  /** How the API refuses the old token; throws where that looks like a failed request. */
  readonly refuses?: () => Response;
  /** What the login hands over; nothing where it left a cookie. */
  readonly signIn?: [] | [Tokens];
  /** How the renewal is refused, once and for all. */
  readonly ends?: () => Response;
  readonly further?: Servers;
}

const page = "https://app.example.com";
const bearerOf = ({ headers }: Request) => headers.get("authorization")?.replace("Bearer ", "");

/**
 * What each way owes: the API refuses the old token; one renewal, asked for as the server wants it; the call is answered; the next renewal is
 * refused, and that is the end.
 */
function renews(renewal: Renewal, then: (made: Made) => Promise<void> = async () => {}): Recipe {
  const { at, method = "POST", body, headers = {}, credentials = "omit", gives, api = `${page}/api/me` } = renewal;
  const { refuses = () => json({}, 401), signIn = [{ accessToken: OLD, refreshToken: "r1" }], ends = () => json({}, 401) } = renewal;
  const asked: Request[] = [];
  const inCookie = signIn.length === 0;
  let over = false;
  return {
    servers: {
      [at]: async (request) => {
        asked.push(request.clone());
        return over ? ends() : gives(inCookie && asked.length === 1 ? OLD : NEW);
      },
      [api]: (request) => {
        const bearer = bearerOf(request);
        // One that no script sees is in the cookie.
        const fresh = bearer === undefined ? request.credentials === "include" && asked.length > 1 : bearer === NEW;
        return fresh ? json({ name: "Ada" }) : refuses();
      },
      ...renewal.further,
    },
    async use(made) {
      const session = made.sessions[0]!;
      await session.signIn(...(signIn as [Tokens]));
      asked.length = inCookie ? 1 : 0;
      made.page.pass(NOT_YOUNG);
      const response = await session.fetch(api);
      expect([response.status, asked.length], "one renewal, and an answer").toEqual([200, inCookie ? 2 : 1]);
      const request = asked.at(-1)!;
      const text = await request.text();
      expect([request.method, request.credentials]).toEqual([method, credentials]);
      for (const [name, value] of Object.entries(headers)) expect(request.headers.get(name)).toBe(value);
      if (body !== undefined) expect(text.startsWith("{") ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))).toEqual(body);
      await then(made);
      over = true;
      made.page.pass(NOT_YOUNG);
      await session.refresh().catch(() => {});
      expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
    },
  };
}

/** A token that has just come is not renewed again within a second. */
const NOT_YOUNG = 1100;

const byGrant = {
  at: "https://auth.example.com/token",
  body: { grant_type: "refresh_token", client_id: "spa", refresh_token: "r1" },
  gives: () => json(oauthAnswer),
  ends: () => json({ error: "invalid_grant" }, 400),
};
const both = { accessToken: OLD, refreshToken: "r1" };

/** Each API takes the token that is for it; each refresh token is good for one request. */
function severalApis(): Recipe {
  let uses = 0;
  const tokens = new Map(
    ["https://billing.example.com", "reports.read"].map((aud) => [aud, makeJwt({ sub: "ada", aud, iat: now, exp: now + 3600 })]),
  );
  const token = (audience: string) => tokens.get(audience);
  return {
    servers: {
      "https://auth.example.com/token": async (request) => {
        const form = new URLSearchParams(await request.text());
        if (form.get("refresh_token") !== `r${++uses}`) return json({ error: "invalid_grant" }, 400);
        const audience = form.get("resource") ?? form.get("scope") ?? "";
        return json({ access_token: token(audience), refresh_token: `r${uses + 1}`, token_type: "Bearer" });
      },
      "https://billing.example.com/invoices": (request) => json([], bearerOf(request) === token("https://billing.example.com") ? 200 : 401),
      "https://reports.example.com/": (request) => json([], bearerOf(request) === token("reports.read") ? 200 : 401),
    },
    async use({ sessions: [session] }) {
      await session!.signIn({ access_token: OLD, refresh_token: "r1" });
      const calls = ["https://billing.example.com/invoices", "https://reports.example.com/"].map((url) => session!.fetch(url));
      expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
      expect(await session!.getToken({ audience: "reports" })).toBe(token("reports.read"));
      expect([await session!.getToken(), uses]).toEqual([OLD, 2]);
    },
  };
}

function oauth2ByIssuer(): Recipe {
  const revoked: string[] = [];
  const issuer = "https://auth.example.com";
  return renews(
    {
      ...byGrant,
      api: "https://api.example.com/me",
      further: {
        [`${issuer}/.well-known/openid-configuration`]: () =>
          json({ issuer, token_endpoint: byGrant.at, revocation_endpoint: `${issuer}/revoke` }),
        [`${issuer}/revoke`]: async (request) => {
          revoked.push(await request.text());
          return json({});
        },
      },
    },
    async ({ sessions: [session] }) => {
      await session!.signOut();
      await vi.waitUntil(() => revoked.length > 0);
      expect(revoked).toEqual(["token=r2&token_type_hint=refresh_token&client_id=spa"]);
      await session!.signIn({ access_token: NEW, refresh_token: "r3" });
    },
  );
}

/** A session that the sample has not made. */
const given = (servers: Servers, use: Recipe["use"]): Recipe => ({ servers, use, needsSession: true });

const signedIn: Recipe["use"] = async ({ sessions }) => {
  for (const session of sessions) await session.signIn({ access_token: OLD, refresh_token: "r1" });
  expect(sessions.map((session) => session.peekToken() === OLD)).toEqual(sessions.map(() => true));
};

/** It says nothing of what it made, so the server has to tell. */
function autorefreshed(): Recipe {
  let asked = 0;
  return {
    accessToken: makeJwt({ iat: now - 3590, exp: now + 10 }),
    servers: {
      [`${page}/refresh-token`]: () => {
        asked += 1;
        return new Response(NEW);
      },
    },
    async use() {
      await vi.waitUntil(() => asked === 1);
    },
  };
}

/** By the heading in README.md; `undefined` where a sample is run elsewhere. */
export const recipes: Record<string, Recipe | undefined> = {
  tokentide: {
    servers: { "https://api.example.com/me": (request) => json({ name: bearerOf(request) === OLD ? "Ada" : "nobody" }) },
    async use({ exported, sessions, page }) {
      expect(exported.session).toBe(sessions[0]);
      expect(sessions[0]!.getSnapshot().status).toBe("signed-in");
      await sessions[0]!.signOut();
      expect((globalThis as unknown as { location: { assign: unknown } }).location.assign).toHaveBeenCalledWith("/login?reason=user");
      expect(page.unknown).toEqual([]);
    },
  },
  "tokentide (2)": given(
    { "https://api.example.com/me": (request) => json({ name: bearerOf(request) === OLD ? "Ada" : "nobody" }) },
    async ({ page }) => expect(page.unknown).toEqual([]),
  ),
  "OAuth 2 by its issuer": oauth2ByIssuer(),
  "A refusal in words of its own": renews({
    ...byGrant,
    at: `${page}/auth/token`,
    ends: () => json({ error: "bad_refresh_token", error_description: "The refresh token passed is incorrect or expired." }),
  }),
  "An expired JWT and a refresh value": renews(
    {
      at: `${page}/auth/refresh`,
      body: { token: OLD, refreshToken: "r1" },
      gives: () => json({ token: NEW, refreshToken: "r2" }),
    },
    async () => expect(console.log).toHaveBeenCalledWith(["read"], ["read", "write"]),
  ),
  "Two JWTs": renews({
    at: `${page}/auth/renew`,
    body: { access: OLD, refresh: "long" },
    headers: { authorization: "Bearer long" },
    signIn: [{ accessToken: OLD, refreshToken: "long" }],
    gives: () => json({ access: NEW, refresh: "longer" }),
  }),
  "An HttpOnly cookie": renews({
    at: `${page}/auth/refresh`,
    headers: { "x-xsrf-token": "told" },
    credentials: "include",
    signIn: [],
    gives: (accessToken) => json({ accessToken }),
    further: { [`${page}/auth/logout`]: () => json({}) },
  }),
  "A session cookie and a short JWT": renews({
    at: `${page}/api/auth/token`,
    method: "GET",
    credentials: "include",
    signIn: [],
    gives: (token) => json({ token }),
    ends: () => json(null),
  }),
  "The access token in a cookie, too": renews({
    at: "https://api.example.com/renew",
    api: "https://api.example.com/me",
    credentials: "include",
    signIn: [],
    gives: () => json({ expiresIn: 300 }),
  }),
  "A token that slides": renews({
    at: `${page}/auth/exchange`,
    headers: { authorization: `Bearer ${OLD}` },
    signIn: [OLD],
    gives: () => json({ token: NEW }),
  }),
  "A later token in any answer": {
    servers: { [`${page}/api/me`]: () => json({}, 200, { "x-renewed-token": NEW }) },
    async use({ sessions: [session] }) {
      await session!.signIn(OLD);
      await session!.fetch("/api/me");
      await vi.waitUntil(() => session!.peekToken() === NEW);
    },
  },
  "A soft expiry inside a longer one": renews(
    {
      at: `${page}/auth/refresh`,
      body: both,
      gives: () => json({ accessToken: NEW, refreshToken: "r2" }),
      refuses: () => json({ code: "EXPIRED_TOKEN" }, 401),
      further: { [`${page}/api/other`]: () => json({ code: "INVALID_TOKEN" }, 401) },
    },
    async ({ sessions: [session] }) => {
      expect(session!.getSnapshot().expiresAt, "softexp").toBeLessThan(Date.now() + 2_400_000);
      await session!.fetch("/api/other");
      await vi.waitUntil(() => session!.getSnapshot().status === "signed-out");
    },
  ),
  "Your own refresh function": renews({
    at: `${page}/auth/renew`,
    credentials: "same-origin",
    gives: () => json({ accessToken: NEW, refreshToken: "r2" }),
  }),
  "Your own refresh function (2)": renews({
    at: `${page}/auth/token`,
    credentials: "include",
    gives: (accessToken) => json({ accessToken }),
    signIn: [],
  }),
  "An API that does not say 401": renews({ ...byGrant, refuses: () => json({}, 419) }),
  "An API that does not say 401 (2)": renews(
    {
      ...byGrant,
      refuses: () => json({ error: { code: "token_expired" } }, 403),
      further: { [`${page}/api/admin`]: () => json({ error: { code: "forbidden" } }, 403) },
    },
    async ({ sessions: [session] }) => {
      const before = session!.peekToken();
      expect([(await session!.fetch("/api/admin")).status, session!.peekToken() === before], "costs no refresh").toEqual([403, true]);
    },
  ),
  "An API that does not say 401 (3)": renews(
    {
      ...byGrant,
      refuses: () => {
        throw new TypeError("Failed to fetch");
      },
      further: {
        [`${page}/api/orders`]: () => {
          throw new TypeError("Failed to fetch");
        },
      },
    },
    async ({ sessions: [session] }) => {
      const before = session!.peekToken();
      await expect(session!.fetch("/api/orders", { method: "POST" })).rejects.toThrow("Failed to fetch");
      expect(session!.peekToken() === before, "what may not be sent twice is not").toBe(true);
    },
  ),
  "One session, several APIs": severalApis(),
  "Tokens that nobody else can use": {
    servers: { "https://api.example.com/me": ({ headers }) => json([headers.get("authorization"), headers.get("dpop")]) },
    async use({ sessions: [session], exported }) {
      const key = await (exported.keyOfLogin as () => Promise<CryptoKeyPair>)();
      expect(key.privateKey.extractable).toBe(false);
      await session!.signIn({ access_token: OLD, refresh_token: "r1", token_type: "DPoP" });
      const [authorization, proof] = await (await session!.fetch("https://api.example.com/me")).json();
      const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
      expect([authorization, claims(proof).htu]).toEqual([`DPoP ${OLD}`, "https://api.example.com/me"]);
      const ahead = await (exported.proofFor as (url: string) => Promise<string>)("https://api.example.com/socket");
      expect(claims(ahead)).toMatchObject({ htm: "GET", htu: "https://api.example.com/socket" });
    },
  },
  "Ending a session that nobody uses": {
    servers: {},
    async use({ sessions: [session], page }) {
      await session!.signIn({ access_token: OLD, refresh_token: "r1" });
      page.pass(14 * 60_000);
      session!.touch();
      page.pass(14 * 60_000);
      expect(await session!.getToken(), "still there").toBe(OLD);
      page.pass(2 * 60_000);
      expect(await session!.getToken()).toBeNull();
      expect(session!.getSnapshot().reason).toBe("idle");
    },
  },
  "A session end that the server gives": {
    servers: {
      [`${page}/auth/renew`]: async (request) => json({ accessToken: NEW, refresh_expires_in: (await request.text()) === "r1" ? 60 : 0 }),
    },
    async use({ sessions: [session], page }) {
      await session!.signIn({ access_token: OLD, refresh_token: "r1" });
      expect(await session!.refresh()).toBe("refreshed");
      page.pass(61_000);
      expect(await session!.getToken()).toBeNull();
      expect(session!.getSnapshot().reason).toBe("max-age");
    },
  },
  "A password was changed": given(
    { "https://auth.example.com/token": () => json({ error: "invalid_grant" }, 400) },
    async ({ sessions }) => {
      await sessions[0]!.refresh().catch(() => {});
      expect((globalThis as unknown as { location: { assign: unknown } }).location.assign).toHaveBeenCalledWith("/login");
    },
  ),
  "Signing out at the provider, too": given({}, async ({ sessions: [session], exported }) => {
    const idToken = makeJwt({ sub: "ada", aud: "spa" });
    await session!.signIn({ access_token: OLD, refresh_token: "r1", id_token: idToken });
    await (exported.signOutEverywhere as () => Promise<void>)();
    const { assign } = (globalThis as unknown as { location: { assign: ReturnType<typeof vi.fn> } }).location;
    const { origin, pathname, searchParams } = new URL(String(assign.mock.calls[0]?.[0]));
    expect(origin + pathname).toBe("https://auth.example.com/logout");
    expect(searchParams.get("id_token_hint") === idToken, "the id token is the hint").toBe(true);
    expect([session!.getSnapshot().status, await session!.getIdToken()]).toEqual(["signed-out", null]);
  }),
  "From jwt-autorefresh": autorefreshed(),
  React: undefined,
  Vue: undefined,
  // It throws, or never ends, where it is wrong.
  "Tests of your own": { servers: {}, use: async ({ page }) => expect(page.unknown).toEqual([]) },
  "Several accounts": { servers: {}, use: signedIn },
  "A socket that lives longer than a token": given({ "https://auth.example.com/token": () => json(oauthAnswer) }, async (made) => {
    const [socket] = made.page.sockets;
    socket!.dispatchEvent(new Event("open"));
    await vi.waitUntil(() => socket!.sent.length === 1);
    await made.sessions[0]!.refresh();
    await vi.waitUntil(() => socket!.sent.length === 2);
    expect([socket!.url, socket!.sent.map((message) => JSON.parse(message).token === NEW)]).toEqual([
      "wss://api.example.com/live",
      [false, true],
    ]);
  }),
};
