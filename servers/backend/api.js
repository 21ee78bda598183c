import { takeFault } from "../faults.js";
import { EXPIRED, Refusal } from "./refusal.js";

/**
 * @import { Answer } from "../faults.js"
 * @import { Claims } from "./access-tokens.js"
 * @import { Message } from "./messages.js"
 *
 * @typedef {object} Rules what is different at the API of one way
 * @property {(message: Message) => string | undefined} tokenOf where the token is
 * @property {(claims: Claims) => void} [check] throws a `Refusal`
 * @property {string} [expiredCode] of a token that was good once, and may be renewed
 * @property {(code: string) => string} [codeOf] what the way calls it
 * @property {(found: { claims: Claims, session: import("./sessions.js").Session }) => Promise<Record<string, string>>} [renew]
 *   headers of an answer
 */

/**
 * The API that the tokens of one way are for.
 * @param {string} way
 * @param {Rules} rules
 * @param {import("./routes.js").Parts} parts
 * @returns {Record<string, import("./routes.js").Route>}
 */
export function createApi(way, rules, { sessions, accessTokens, stats, faults, expiredStatus }) {
  const { tokenOf, check, expiredCode = EXPIRED, codeOf = (code) => code, renew } = rules;

  async function authorize(/** @type {Message} */ message) {
    const token = tokenOf(message);
    if (token === undefined) throw new Refusal(401, "no_token");
    const claims = await accessTokens.verify(token);
    if (takeFault(faults, "api")?.kind === "unauthorized" || accessTokens.isExpired(claims)) throw new Refusal(401, expiredCode);
    check?.(claims);
    return { claims, session: sessions.live(claims.sid, way) };
  }

  const guarded = (/** @type {(claims: Claims, message: Message) => Answer} */ route) => async (/** @type {Message} */ message) => {
    try {
      const { claims, session } = await authorize(message);
      stats.apiOk += 1;
      const headers = (await renew?.({ claims, session })) ?? {};
      const answer = route(claims, message);
      return { ...answer, headers: { ...answer.headers, ...headers } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      stats.apiUnauthorized += 1;
      stats.log(`api: ${error.code}`);
      return refuse(error.code);
    }
  };

  function refuse(/** @type {string} */ code) {
    const known = codeOf(code);
    // RFC 6750 §3.1: no error code when no token was sent.
    const challenge = code === "no_token" ? "Bearer" : 'Bearer error="invalid_token"';
    const status = known === expiredCode ? expiredStatus : 401;
    return { status, headers: { "WWW-Authenticate": challenge, "X-Token-Error": known }, body: { code: known } };
  }

  return {
    "GET /api/me": guarded(({ sub, name, permissions, jti, exp }) => ({
      status: 200,
      body: { sub, name, permissions, serial: Number(jti), expiresAt: exp * 1000 },
    })),
    "POST /api/echo": guarded((_claims, { bytes, headers }) => ({
      status: 200,
      headers: { "Content-Type": headers["content-type"] ?? "application/octet-stream" },
      body: bytes,
    })),
  };
}

export const fromBearer = (/** @type {Message} */ { bearer }) => bearer;
