import { assertKnown } from "../errors.js";
import { browserEnvironment } from "../platform/browser.js";
import { assertSensible, readClaims } from "../token/claims.js";
import { instantIn } from "../token/lifetime.js";
import type { Environment } from "../types/environment.js";
import type { Session } from "../types/index.js";
import { memory } from "./memory.js";
import { createSession } from "./session.js";

/** The settings of the package `jwt-autorefresh`, with the same meaning. */
export interface AutorefreshSettings {
  /** Returns a new token, which is a JWT. An error that it throws means "not now": `autorefresh` calls it again later. */
  refresh: () => string | Promise<string>;
  /**
   * **Seconds** from the refresh to the token's expiry, from 0. `autorefresh` calls a function once for each token.
   * @default the default of `lead` in `createSession`
   */
  leadSeconds?: number | (() => number);
  /** The clock, the random numbers and the timers. @default `browserEnvironment()` */
  environment?: Environment;
}

/**
 * Calls `refresh` before each token expires, and calls it again after a pause when it fails. It has the interface of the package
 * `jwt-autorefresh`. It shares nothing with other tabs; `createSession` does.
 *
 * @returns `start(token)`, which returns a function that cancels the refreshes. The next `start` cancels them, too.
 * @throws {TypeError} when a setting is wrong or unknown. `start` throws it when the token is not a JWT with an `exp` claim.
 * @throws {SessionError} `invalid-response`, from `start`, when the token expires before it becomes valid (`nbf`).
 */
export function autorefresh(settings: AutorefreshSettings): (token: string) => () => void {
  const { refresh, leadSeconds, environment = browserEnvironment() } = settings ?? {};
  if (typeof refresh !== "function") throw new TypeError("autorefresh: refresh must be a function");
  assertKnown("autorefresh", settings, { refresh, leadSeconds, environment });
  if (!["undefined", "function"].includes(typeof leadSeconds) && !(typeof leadSeconds === "number" && leadSeconds >= 0))
    throw new TypeError("autorefresh: leadSeconds must be seconds, not below 0, or a function that returns them");
  const lead = typeof leadSeconds === "function" ? () => leadSeconds() * 1000 : leadSeconds !== undefined && leadSeconds * 1000;
  let session: Session | undefined;

  return (token) => {
    const claims = readClaims(token);
    if (!instantIn(claims, "exp")) throw new TypeError("autorefresh: expected a JWT with an exp claim");
    assertSensible(claims);
    session?.dispose();
    const started = createSession({
      refresh: () => refresh(),
      name: "autorefresh",
      ...(lead !== false && { lead }),
      persist: memory(),
      allowedOrigins: [],
      environment: { ...environment, openStore: undefined, openChannel: undefined, locks: undefined },
    });
    session = started;
    started.signIn(token).catch(() => {});
    return () => started.dispose();
  };
}
