import { jwtDecode } from "jwt-decode";
import { SessionError } from "../errors.js";
import type { Claims, TokenSet } from "../types/index.js";
import { instantIn } from "./lifetime.js";

/** The claims of the last tokens. A large token takes long to decode, and a session reads its claims several times. */
const decoded = /* @__PURE__ */ new Map<string | undefined, Claims | null>();

/** Returns the claims of a JWT, or null when the token is not a JWT. */
export function readClaims(token: string | undefined): Claims | null {
  let claims = decoded.get(token);
  if (claims !== undefined) return claims;
  claims = null;
  try {
    const payload: unknown = jwtDecode(token as string);
    if (payload instanceof Object) claims = frozen(payload) as Claims;
  } catch {}
  // A renewal compares the claims of up to four tokens, and a page may have several sessions.
  if (decoded.size > 7) decoded.clear();
  decoded.set(token, claims);
  return claims;
}

/** The claims that the app sees: those of the access token if it is a JWT, else those of the id token. `read`: the option `readClaims`. */
export const claimsOf = (tokens: TokenSet | undefined, read: boolean): Claims | null =>
  read ? (readClaims(tokens?.accessToken) ?? readClaims(tokens?.idToken)) : null;

/** @throws {SessionError} `invalid-response` when the token expires before it becomes valid */
export function assertSensible(claims: Claims | null): void {
  // A missing claim is undefined, and then the comparison is false.
  if ((instantIn(claims, "nbf") as number) > (instantIn(claims, "exp") as number))
    throw new SessionError("invalid-response", "the access token expires before it is valid (nbf, exp)");
}

/** The app sees the claims with which the session compares later tokens, so they are frozen. `depth` keeps a hostile token from filling the stack. */
function frozen<T>(value: T, depth = 32): T {
  if (depth && value instanceof Object) for (const member of Object.values(value)) frozen(member, depth - 1);
  return Object.freeze(value);
}

/** These claims differ in every token or belong to one login, and mean nothing to an app. `uti`, `aio` and `rh` are Entra's. */
export const VOLATILE = /* @__PURE__ */ "exp iat nbf jti at_hash c_hash nonce uti aio rh".split(" ");

/**
 * Returns the same text for values that mean the same. Members and array items have no order, since the arrays in tokens are sets. A number
 * equals its string. The text leaves out levels below the 32nd: a token with more of them was made to take long.
 */
function spell(value: unknown, depth = 32): string {
  if (!(value instanceof Object)) return /str|num/.test(typeof value) ? JSON.stringify(`${value}`) : `${value}`;
  const list = Array.isArray(value);
  const members = depth ? Object.entries(value).map(([name, member]) => (list ? "" : JSON.stringify(name)) + spell(member, depth - 1)) : [];
  return `${list}${members.sort()}}`;
}

/** Whether two claims mean the same, however the server wrote them. */
export const same = (one: unknown, other: unknown): boolean => spell(one) === spell(other);

const KINDS = ["accessToken", "idToken"] as const;

/** Whether a member of one object is not the identical value in the other. The members in `ignored` do not count. */
export const differs = (one: object | null, other: object | null, ignored: readonly string[] = []): boolean =>
  Object.keys({ ...one, ...other }).some((name) => one?.[name as never] !== other?.[name as never] && !ignored.includes(name));

/** Returns `after` with the objects of `before` for all claims that mean the same, so that callers can detect a change by identity. */
export function settleClaims(before: Claims | null, after: Claims | null): Claims | null {
  if (!before || !after) return after;
  const settled = { ...after };
  for (const name in settled) if (same(before[name], settled[name])) settled[name] = before[name];
  return differs(before, settled) ? Object.freeze(settled) : before;
}

// biome-ignore lint/suspicious/noDoubleEquals: a large number equals its text, although JSON has rounded the number.
const alike = (one: unknown, other: unknown): boolean => one == other || same(one, other);

/**
 * Whether two tokens of one kind name different subjects or clients. A token without the name does not count. The function does not compare
 * tokens of two kinds, since they may name one user differently.
 */
export function differentParty(one: TokenSet = {}, other: TokenSet = {}): boolean {
  return KINDS.some((kind) => {
    const [before, after] = [readClaims(one[kind]), readClaims(other[kind])];
    return ["sub", "client_id", "azp"].some((name) => !alike(before?.[name] ?? after?.[name], after?.[name] ?? before?.[name]));
  });
}

/**
 * Whether two tokens of one kind name different subjects, and no two tokens of one kind name the same subject. Clients do not count, since a
 * user may sign in by another client.
 */
export function differentSubject(one: TokenSet, other: TokenSet): boolean {
  const pairs = KINDS.map((kind) => [readClaims(one[kind])?.sub, readClaims(other[kind])?.sub] as const);
  const named = pairs.filter(([before, after]) => before != null && after != null);
  return named.length > 0 && !named.some(([before, after]) => alike(before, after));
}
