import { browserEnvironment } from "../platform/browser.js";
import type { Environment } from "../platform/environment.js";
import { assertSensible, readClaims } from "../token/decode.js";
import type { Session } from "../types.js";
import { createSession } from "./session.js";

/** The settings of `jwt-autorefresh`, as they are. */
export interface AutorefreshSettings {
  /** Gets a new token. What it throws, or rejects with, means "not now". */
  refresh: () => string | Promise<string>;
  /** How many **seconds** before expiry; a function is asked anew for each token. @default 5 to 20 % of the lifetime */
  leadSeconds?: number | (() => number);
  /** @default the page's */
  environment?: Environment;
}

/**
 * Calls `refresh` ahead of each token's expiry, and again after a pause when it fails. It knows nothing of other tabs: whoever keeps tokens
 * in several wants `createSession`.
 *
 * @returns `start(token)`, which returns its cancel. Starting again cancels what was before.
 * @throws {TypeError} when a setting is wrong; from `start`, when the token is no JWT with an `exp`.
 * @throws {SessionError} from `start`: `invalid-response` when the token expires before it is valid.
 */
export function autorefresh(settings: AutorefreshSettings): (token: string) => () => void {
  const { refresh, leadSeconds, environment = browserEnvironment() } = settings ?? {};
  if (typeof refresh !== "function") throw new TypeError("autorefresh: refresh must be a function");
  if (!["undefined", "function"].includes(typeof leadSeconds) && !(typeof leadSeconds === "number" && leadSeconds >= 0))
    throw new TypeError("autorefresh: leadSeconds must be seconds, not below 0, or a function that returns them");
  const lead = typeof leadSeconds === "function" ? () => leadSeconds() * 1000 : leadSeconds !== undefined && leadSeconds * 1000;
  let session: Session | undefined;

  return (token) => {
    const claims = readClaims(token);
    if (typeof claims?.exp !== "number") throw new TypeError("autorefresh: expected a JWT with an exp");
    assertSensible(claims);
    session?.dispose();
    const started = createSession({
      refresh: () => refresh(),
      ...(lead !== false && { lead }),
      persist: "memory",
      allowedOrigins: [],
      environment: { ...environment, openStore: undefined, openChannel: undefined, locks: undefined },
    });
    session = started;
    started.signIn(token).catch(() => {});
    return () => started.dispose();
  };
}
