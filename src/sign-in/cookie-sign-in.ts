import { isCalledOff } from "../ledger/order.js";
import { type Moment, prepareSignIn, signedOut } from "../ledger/transitions/index.js";
import { noSession } from "../refresh/flight.js";
import type { Refresher } from "../refresh/refresher.js";
import type { SessionContext } from "../session/context.js";
import type { CookieSignIn } from "../types/index.js";

/** The members of a `cookieSignIn` that only a session uses. */
export interface CookieSignInPlugin extends CookieSignIn {
  readonly option: "cookieSignIn";
  /** Returns the sign-in without tokens. `asked`: when the user asked for it. `signOuts` counts the sign-outs in this tab. */
  connect(
    context: SessionContext,
    parts: CookieSignInParts,
  ): (asked: Pick<Moment, "now" | "tab" | "random">, signOuts: () => number) => Promise<void>;
}

export interface CookieSignInParts {
  restored(): Promise<void>;
  readonly refresher: Pick<Refresher, "flight" | "refresh">;
}

/** The longest time for which the sign-in waits for storage. Then it goes on in memory. */
const STORAGE_WAIT_MS = 3000;

/**
 * Makes the option `cookieSignIn`: `session.signIn()` works without tokens, after a login that only sets a cookie. The session renews once, and
 * begins with the answer. The strategy `cookie` has it; a refresh function of your own needs the option.
 *
 * `createSession` throws a `TypeError` if the strategy needs the tokens of the login.
 */
export function cookieSignIn(): CookieSignIn {
  const plugin: CookieSignInPlugin = {
    option: "cookieSignIn",
    connect({ ledger, settings }, { restored, refresher }) {
      const { needsRefreshToken, needsValidToken } = settings.strategy;
      if (needsRefreshToken || needsValidToken)
        throw new TypeError("cookieSignIn: refresh must be cookie({ … }), or a function of your own; this strategy needs tokens");
      return async (asked, signOuts) => {
        const before = signOuts();
        await restored();
        const found = ledger.current;
        const assertWanted = (): void => {
          if (signOuts() !== before || (found && isCalledOff(ledger.current!, found))) throw noSession();
        };
        assertWanted();
        // The record is no end of a session that storage may have.
        await ledger.apply(prepareSignIn({ ...signedOut(undefined, asked, "user"), epoch: 0 }), { within: STORAGE_WAIT_MS });
        // The user may sign out during a refresh that is under way. This sign-in joins another one.
        while (refresher.flight && !refresher.flight.begins) await refresher.flight.promise.catch(() => {});
        assertWanted();
        await refresher.refresh("sign-in");
      };
    },
  };
  return plugin;
}
