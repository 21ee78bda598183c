import { jwtDecode } from "jwt-decode";
import { SessionError } from "../errors.js";
import type { Claims, TokenSet } from "../types.js";

/** Visible ASCII: anything else could not be sent, and the browser's own complaint would print the token. */
const SENDABLE = /^[\x21-\x7e]+$/;

/**
 * Whatever a login or a token endpoint handed over, as a {@link TokenSet}. `inCookie`: without an access token it is one, too.
 * @throws {SessionError} `invalid-response`, `unsupported-token-type`; what was handed over is never in the message.
 */
export function parseTokens(input: unknown, inCookie = false): TokenSet {
  const from = (typeof input === "string" ? { accessToken: input } : (input ?? {})) as Record<string, unknown>;
  const text = (...names: string[]) => {
    for (const name of names) if (from[name] != null && from[name] !== "") return from[name] as string;
    return undefined;
  };
  const accessToken = text("accessToken", "access_token");
  const refreshToken = text("refreshToken", "refresh_token");
  const idToken = text("idToken", "id_token");
  const tokenType = text("tokenType", "token_type");
  for (const [name, value] of Object.entries({
    access: accessToken ?? (inCookie ? "x" : ""),
    refresh: refreshToken ?? "x",
    id: idToken ?? "x",
  })) {
    if (typeof value !== "string" || !SENDABLE.test(value)) {
      throw new SessionError("invalid-response", `expected a non-empty ${name} token without spaces, as in RFC 6749 §5.1`);
    }
  }
  // A DPoP-bound token (RFC 9449) sent as a bearer would be refused by every API, or worse, accepted.
  if (tokenType !== undefined && String(tokenType).toLowerCase() !== "bearer") {
    throw new SessionError("unsupported-token-type", "only bearer tokens (RFC 6750) are supported");
  }
  const seconds = (...names: string[]) => {
    const value = Number(text(...names));
    return value > 0 && value < Infinity ? value : undefined;
  };
  return {
    accessToken,
    refreshToken,
    idToken,
    scope: text("scope"),
    expiresIn: seconds("expiresIn", "expires_in"),
    sessionExpiresIn: seconds("sessionExpiresIn", "session_expires_in"),
  };
}

/** What the JWT says, or null when it is none. */
export function readClaims(token: string | undefined): Claims | null {
  try {
    const claims: unknown = jwtDecode(token as string);
    return claims && typeof claims === "object" ? (frozen(claims) as Claims) : null;
  } catch {
    return null;
  }
}

/** @throws {SessionError} `invalid-response` */
export function assertSensible(claims: Claims | null): void {
  const { nbf, exp } = (claims ?? {}) as { nbf?: number; exp?: number };
  if (nbf && exp && nbf > exp) throw new SessionError("invalid-response", "the access token expires before it is valid (nbf, exp)");
}

/** What the app gets to see is what later tokens are compared with. */
function frozen<T>(value: T): T {
  if (value && typeof value === "object") Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** Members that differ in every token and mean nothing to an app. */
const VOLATILE = new Set(["exp", "iat", "nbf", "jti", "at_hash"]);

export function sameClaims(one: Claims | null, other: Claims | null, expiryClaim = "exp"): boolean {
  const lasting = (claims: Claims | null) =>
    JSON.stringify(
      claims &&
        Object.entries(claims)
          .filter(([name]) => name !== expiryClaim && !VOLATILE.has(name))
          .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return lasting(one) === lasting(other);
}

/** Whether both name a subject, or a client, and it is not the same one. */
export function differentParty(one: Claims | null, other: Claims | null): boolean {
  return ["sub", "client_id", "azp"].some((name) => one?.[name] != null && other?.[name] != null && one[name] !== other[name]);
}
