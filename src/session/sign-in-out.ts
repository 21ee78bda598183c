import { isNewerRelease } from "../ledger/format.js";
import { sameCommit } from "../ledger/order.js";
import type { LedgerRecord } from "../ledger/record.js";
import { type Moment, signedOut, signIn, signOut } from "../ledger/transitions/index.js";
import { newerRelease } from "../refresh/decision.js";
import type { Refresher } from "../refresh/refresher.js";
import { revoke, revokeReplaced } from "../refresh/revoke.js";
import { assertSensible, readClaims } from "../token/claims.js";
import { parseTokens } from "../token/parse.js";
import type { TokenSet } from "../types/index.js";
import type { SessionContext } from "./context.js";
import { RESTORE_MS } from "./restore.js";

/** The longest time for which `signOut` waits for storage. The writes go on. */
const SIGN_OUT_MS = 100;

/** Begins and ends the session at the user's request. */
export interface SignInOut {
  signIn(input: unknown): Promise<void>;
  signOut(): Promise<void>;
}

export interface SignInOutParts {
  restored(): Promise<void>;
  readonly refresher: Refresher;
}

export function createSignInOut(context: SessionContext, { restored, refresher }: SignInOutParts): SignInOut {
  const { strategy, cookieSignIn, dpop } = context.settings;
  const { needsRefreshToken } = strategy;
  const signInByCookie = cookieSignIn?.connect(context, { restored, refresher });
  let lastAsked = 0;
  let signOuts = 0;
  /** When the user asked for the last one that was written. */
  let lastSignIn = 0;

  /** When the user asked for it. Two calls of this tab are ordered as they were made, however fast they follow on each other. */
  function askedNow(): Pick<Moment, "now" | "tab" | "random"> {
    context.waits.assertAlive();
    lastAsked = Math.max(context.clock.now(), lastAsked + 1);
    return { now: lastAsked, tab: context.tab, random: context.environment.random };
  }

  /** Revokes tokens with which no session begins. Two calls, also of two tabs, may have brought the same ones. */
  function revokeUnlessUsed(tokens: TokenSet, record: LedgerRecord | undefined): void {
    const isUsed = record?.signedIn && tokens.refreshToken && record.tokens?.refreshToken === tokens.refreshToken;
    if (!isUsed) revoke(context, tokens, record?.signedIn);
  }

  return {
    async signIn(input) {
      const asked = askedNow();
      const epoch = context.ledger.current?.epoch;
      const options = { within: RESTORE_MS };
      const before = signOuts;
      if (input === undefined) {
        if (signInByCookie) return signInByCookie(asked, () => signOuts);
        throw new TypeError("signIn: tokens are required without the option cookieSignIn: cookieSignIn(), imported from tokentide");
      }
      const parsed = parseTokens(strategy.read?.(input) ?? input, {
        inCookie: strategy.accessTokenInCookie,
        complain: context.report.warnOnce,
        types: dpop?.types,
      });
      if (context.settings.readClaims) assertSensible(readClaims(parsed.accessToken));
      if (needsRefreshToken && !parsed.refreshToken)
        context.report.warnOnce(
          "signIn: no refresh token came; ask for the scope offline_access (some servers want prompt=consent, too), or give refreshTokenField",
        );
      const tokens = strategy.take ? await strategy.take(parsed) : parsed;
      const bound = dpop ? await dpop.forSignIn(tokens, input) : tokens;
      context.waits.assertAlive();
      // The user has signed out meanwhile, or a later call was faster.
      if (signOuts > before || asked.now < lastSignIn) return revokeUnlessUsed(tokens, context.ledger.current);
      lastSignIn = Math.max(asked.now, lastSignIn);
      const { outcome: replaced, record } = await context.ledger.apply(
        signIn(bound, { asked: asked.now, epoch }, context.settings),
        options,
      );
      if (isNewerRelease(record)) throw newerRelease();
      const wasLate = replaced && sameCommit(replaced, record);
      if (wasLate || !record?.signedIn) revokeUnlessUsed(tokens, record);
      else revokeReplaced(context, replaced?.tokens, { tokens });
      context.tabs.announce();
      context.report.flush(true);
    },
    async signOut() {
      signOuts++;
      const known = context.ledger.current?.tokens;
      const ended = signedOut(context.ledger.current, askedNow(), "user");
      // The mark is written by this task, so a page that leaves now has signed out, too (R85).
      const marked = context.ledger.mark(ended.epoch);
      const written = context.ledger.apply(signOut(ended), { atOnce: ended }).then(({ outcome: replaced }) => {
        context.tabs.announce();
        // Another tab renewed just before, or this tab had not been restored yet.
        if (replaced?.signedIn && (!known || replaced.tokens?.refreshToken !== known.refreshToken)) revoke(context, replaced.tokens ?? {});
        return true;
      });
      context.tabs.announce();
      revoke(context, known);
      const durable = (await context.waits.within(SIGN_OUT_MS, written)) ?? (await context.waits.within(0, marked));
      if (!durable && !context.waits.disposed) context.report.warnOnce("signOut: the browser has not stored the end yet");
      context.report.flush(true);
    },
  };
}
