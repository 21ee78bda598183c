import { assertKnown } from "../errors.js";
import { readCookie } from "../platform/cookie.js";
import { cookieSignIn } from "../sign-in/cookie-sign-in.js";
import type { RefreshStrategy } from "../types/index.js";
import { at, type ExchangeOptions, exchange, OPTIONS } from "./exchange.js";
import { asksToWait } from "./request.js";

export interface CookieOptions extends ExchangeOptions {
  /**
   * A header against cross-site request forgery. Its value is that of `cookie`, which script can read, or the result of `value`; without a
   * value, the header is not sent, and a 403 ends no session. @default none
   */
  csrf?: { header: string; cookie: string } | { header: string; value: () => string | undefined | Promise<string | undefined> };
}

/**
 * For a refresh token or a server session in an HttpOnly cookie: the browser adds the cookie, and the request has no token.
 * The session sends no request before a sign-in: call `session.signIn()` after a login that only sets the cookie.
 *
 * A `200` with the JSON value `null` also ends the session. So does a `200` with `{}`, with `false`, or with `null` in place of the token,
 * unless the access token is in a cookie.
 *
 * @throws {TypeError} when an option is wrong or unknown.
 */
export function cookie({ csrf, ...options }: CookieOptions): RefreshStrategy {
  assertKnown("cookie", options, { ...OPTIONS, refreshTokenField: 0, csrf });
  if (csrf && !(csrf.header && ("value" in csrf ? typeof csrf.value === "function" : csrf.cookie)))
    throw new TypeError("cookie: csrf must be { header, cookie }, or { header, value } with a function");
  if (csrf) assertKnown("cookie: csrf", csrf, { header: 0, cookie: 0, value: 0 });
  /** Whether the last request lacked the header, since there was no value. */
  let unprotected = false;
  return exchange(
    "cookie",
    { credentials: "include", ...options },
    {
      needsRefreshToken: false,
      cookieSignIn: cookieSignIn(),
      async request() {
        const value = csrf && ("value" in csrf ? await csrf.value() : readCookie(csrf.cookie));
        unprotected = !!csrf && !value;
        // Without `keepalive`, a page that closes during the request does not store the new cookie (all engines); the old one is used up.
        return { keepalive: true, headers: csrf && value ? { [csrf.header]: value } : {} };
      },
      verdict({ status, headers, json }) {
        // The server may only miss the header.
        if (status === 403 && unprotected) return "not-now";
        return status === 200 && !asksToWait(headers) && hasNone(json, options.accessTokenField) ? "rejected" : undefined;
      },
    },
  );
}

/** Whether the JSON has no token, so the server has no session. */
function hasNone(json: unknown, field: string | null | undefined): boolean {
  if (json === null || field === null) return json === null;
  if (typeof json !== "object") return json === false;
  const values = [field ?? "accessToken", "accessToken", "access_token"].map((path) => at(path, json));
  return !Object.keys(json).length || (values.includes(null) && values.every((value) => value == null));
}
