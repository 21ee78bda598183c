// The API and the auth server that all meet in Node. They stand in place of the global fetch, and can be exchanged under those who use it.

/** @typedef {(input: RequestInfo | URL, init?: RequestInit) => Promise<Response>} Network */

/** @type {Network} */
export const plainFetch = globalThis.fetch;

let network = plainFetch;
/** @type {Network} */
const exchangeable = (input, init) => network(input, init);
globalThis.fetch = exchangeable;

/** What the global fetch does from now on; also undoes what a library has done to it. */
export function use(/** @type {Network} */ next) {
  network = next;
  globalThis.fetch = exchangeable;
}

const TIME_OF_START = Date.now();
const LIFE = 3600;

function jwt(/** @type {object} */ claims) {
  const encode = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}.c2lnbmF0dXJl`;
}

/** The tokens of the n-th sign-in or renewal. */
export function tokensOf(/** @type {number} */ serial, now = TIME_OF_START) {
  const seconds = Math.floor(now / 1000);
  const claims = { iss: "https://auth.example.test", aud: "spa", sub: "ada", iat: seconds, exp: seconds + LIFE, jti: `${serial}` };
  return {
    access_token: jwt(claims),
    id_token: jwt({ ...claims, typ: "ID" }),
    refresh_token: jwt({ jti: `refresh-${serial}`, exp: seconds + 100 * LIFE }),
    expires_in: LIFE,
    token_type: "Bearer",
    scope: "openid offline_access",
  };
}

const json = (/** @type {unknown} */ body, status = 200, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const later = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * A refresh token works once, and a used one is refused. The API takes the tokens from `world.accepts` on. `latency` has the milliseconds
 * that a call takes on its way back, by the number in its address.
 *
 * @param {{ latency?: (call: number) => number, renewal?: number }} options
 */
export function createWorld({ latency, renewal = 5 } = {}) {
  /** @type {Map<string | null, number>} */
  const sent = new Map();
  /** @type {number | undefined} */
  let issuedAt;
  const world = { accepts: 1, serial: 1, refreshes: 0, calls: 0, resends: 0, renew, answer, forget };

  /** What came before is set-up. */
  function forget() {
    Object.assign(world, { refreshes: 0, calls: 0, resends: 0 });
    sent.clear();
  }

  async function renew(/** @type {string | null | undefined} */ refreshToken) {
    world.refreshes++;
    const current =
      refreshToken === tokensOf(world.serial).refresh_token || refreshToken === tokensOf(world.serial, issuedAt).refresh_token;
    if (current) world.serial++;
    await later(renewal);
    if (!current) throw new Error("invalid_grant");
    issuedAt = Date.now();
    return tokensOf(world.serial, issuedAt);
  }

  /** @type {Network} */
  async function answer(input, init) {
    const request = new Request(input, init);
    const { hostname, pathname, searchParams } = new URL(request.url);
    if (hostname === "auth.example.test" || pathname.startsWith("/auth/")) return token(request, pathname);
    world.calls++;
    const number = searchParams.get("n");
    const times = (sent.get(number) ?? 0) + 1;
    sent.set(number, times);
    world.resends = Math.max(world.resends, times - 1);
    if (latency) await later(latency(Number(number)));
    return accepted(request.headers.get("authorization")) ? json({}) : json({}, 401);
  }

  function accepted(/** @type {string | null} */ authorization) {
    const payload = authorization?.split(".")[1];
    return payload !== undefined && Number(JSON.parse(Buffer.from(payload, "base64url").toString()).jti) >= world.accepts;
  }

  async function token(/** @type {Request} */ request, /** @type {string} */ path) {
    if (request.method === "GET") return json({ issuer: "https://auth.example.test", jwks_uri: "https://auth.example.test/keys" });
    const body = await request.text();
    const refreshToken = path.startsWith("/auth/")
      ? request.headers.get("authorization")?.slice("Bearer ".length)
      : body.startsWith("{")
        ? JSON.parse(body).refresh_token
        : new URLSearchParams(body).get("refresh_token");
    try {
      const tokens = await renew(refreshToken);
      if (!path.startsWith("/auth/")) return json({ ...tokens, user: { id: "ada" } });
      return json({}, 200, sessionHeaders(tokens));
    } catch {
      return json({ error: "invalid_grant" }, path.startsWith("/auth/") ? 401 : 400);
    }
  }

  use(answer);
  return world;
}

/** How a SuperTokens back end gives tokens. */
export function sessionHeaders(/** @type {ReturnType<typeof tokensOf>} */ { access_token, refresh_token }) {
  const front = { uid: "ada", ate: Date.now() + LIFE * 1000, up: {} };
  return {
    "st-access-token": access_token,
    "st-refresh-token": refresh_token,
    "front-token": Buffer.from(JSON.stringify(front)).toString("base64"),
  };
}
