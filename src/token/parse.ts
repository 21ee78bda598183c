import { SessionError } from "../errors.js";
import type { TokenSet } from "../types/index.js";
import { positive, unreadable } from "./lifetime.js";

/**
 * A token in a header is visible ASCII: the browser cannot send other characters, and its error would print the token. A JSON or form text is
 * no token, and may contain tokens. The words `undefined` and `null` are no token either: an app writes them for a missing token.
 */
const SENDABLE = /^\s*(?!(?:undefined|null)\s*$)([!#-%'-z|~]+)\s*$/;
/** A refresh token goes into a body, so it may contain spaces, also at its ends (RFC 6749 A.17). */
const REFRESHING = /^[^\S ]*([ -~]+)[^\S ]*$/;

export interface ParseOptions {
  /** The set needs no access token. @default false */
  readonly inCookie?: boolean | undefined;
  /** Hears of each member that the set leaves out. */
  readonly complain?: ((problem: string) => void) | undefined;
  /** Gets the refresh token even if the function throws: the server may have used up the refresh token before it. */
  readonly rescued?: TokenSet | undefined;
  /** False leaves out an unusable refresh token, and no error says `lost`. @default true */
  readonly needed?: boolean;
  /** The token types that the session takes, in lower case. @default `["bearer"]` */
  readonly types?: readonly string[] | undefined;
}

/**
 * Reads the answer of a login or of a token endpoint as a {@link TokenSet}.
 * @throws {SessionError} `invalid-response`, `unsupported-token-type`. No message contains a part of `input`.
 */
export function parseTokens(
  input: unknown,
  { inCookie = false, complain, rescued = {}, needed = true, types = ["bearer"] }: ParseOptions = {},
): TokenSet {
  const from = (typeof input === "string" ? { accessToken: input } : (input ?? {})) as Record<string, unknown>;
  const snake = (name: string) => name.replace(/[A-Z]/g, "_$&").toLowerCase();
  const all = (name: string) =>
    [from[name], from[snake(name)]].filter((value) => (typeof value === "string" ? value.trim() : value != null));
  const find = (name: string) => all(name)[0];
  /** Returns undefined for a missing token, and an empty string for an unusable one. */
  const token = (name: string, form: RegExp) => {
    const values = all(name).map((value) => (typeof value === "string" && form.exec(value)?.[1]) || "");
    return values.find(Boolean) ?? values[0];
  };
  let refreshToken = token("refreshToken", REFRESHING);
  // A server that does not rotate may send `true`, or an empty value, as its refresh token.
  if (refreshToken === "" && (!needed || all("refreshToken").every((value) => value === true || !value || isEmpty(value))))
    refreshToken = undefined;
  const accessToken = token("accessToken", SENDABLE);
  const idToken = token("idToken", SENDABLE);
  rescued.refreshToken = refreshToken;
  const lost = needed && !refreshToken;
  if (!(accessToken ?? inCookie) || refreshToken === "") {
    const name = refreshToken === "" ? "refreshToken" : "accessToken";
    throw new SessionError(
      "invalid-response",
      `expected ${name} (or ${snake(name)}, or what ${name}Field says) to be a text without spaces, quotes or braces`,
      { lost },
    );
  }
  // An API would refuse a DPoP-bound token (RFC 9449) that is sent as a bearer or, worse, accept it.
  const type = `${find("tokenType") ?? "bearer"}`.trim().toLowerCase();
  if (!types.includes(type))
    throw new SessionError("unsupported-token-type", `token_type must be ${types.join(" or ")}; see the option dpop`, { lost });
  if (idToken === "") complain?.(unreadable("idToken"));
  const seconds = (name: string) => positive(find(name), name, complain);
  return {
    accessToken,
    refreshToken,
    ...(type === "dpop" && { tokenType: "DPoP" }),
    idToken: idToken || undefined,
    scope: typeof from.scope === "string" ? from.scope : undefined,
    expiresIn: seconds("expiresIn"),
    sessionExpiresIn: seconds("sessionExpiresIn"),
  };
}

const isEmpty = (value: unknown): boolean => typeof value === "object" && !Object.keys(value as object).length;
