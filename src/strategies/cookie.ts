import { readCookie } from "../platform/cookie.js";
import type { RefreshStrategy } from "../types.js";
import { type ExchangeOptions, exchange } from "./exchange.js";

export interface CookieOptions extends ExchangeOptions {
  /** A header against cross-site requests, with the value of a cookie that script can read, or whatever `value` gives. @default none */
  csrf?: { header: string; cookie: string } | { header: string; value: () => string | undefined | Promise<string | undefined> };
}

/**
 * A refresh token, or a session, in an HttpOnly cookie: nothing is sent but what the browser adds. `200` with `null` ends the session, too.
 * Nothing is asked before somebody signed in: call `session.signIn()` after a login that left nothing but the cookie.
 *
 * @throws {TypeError} when an option is wrong.
 */
export function cookie({ csrf, ...options }: CookieOptions): RefreshStrategy {
  if (csrf && !(csrf.header && ("value" in csrf ? typeof csrf.value === "function" : csrf.cookie)))
    throw new TypeError("cookie: csrf must be { header, cookie }, or { header, value } with a function");
  return exchange(
    "cookie",
    { credentials: "include", ...options },
    { needsRefreshToken: false },
    async () => {
      const value = csrf && ("value" in csrf ? await csrf.value() : readCookie(csrf.cookie));
      // A page that is closed in the middle would not store the new cookie otherwise (all engines), and the old one has been used.
      return { keepalive: true, headers: csrf && value ? { [csrf.header]: value } : {} };
    },
    ({ status, json }) => (status === 200 && json === null ? "rejected" : undefined),
  );
}
