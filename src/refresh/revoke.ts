import type { LedgerRecord } from "../ledger/record.js";
import type { SessionContext } from "../session/context.js";
import { differentSubject } from "../token/claims.js";
import type { RefreshContext, TokenSet } from "../types/index.js";

/** Tells the server that these tokens are of no use any more. Never awaited. Its failure is told to `debug` alone. `replaced`: another user signed in. */
export function revoke(context: SessionContext, tokens: TokenSet | undefined, replaced = false): void {
  const { strategy } = context.settings;
  if (!tokens || (strategy.needsRefreshToken && !tokens.refreshToken)) return;
  const { environment } = context;
  const fetch: RefreshContext["fetch"] = (input, init) => environment.fetch(input, init);
  const tell = async () => strategy.revoke?.({ tokens, fetch, origin: environment.origin, replaced });
  tell().catch(() => context.report.debug("revocation-failed"));
}

/**
 * Revokes the refresh token of a session that another user has replaced, since the server still knows that session (R92). Nothing is sent where
 * the tokens do not tell that the user is another one, nor where only cookies tell the server whose session it is. Cookies are the new user's
 * by now, so a strategy that hears of `replaced` sends none.
 */
export function revokeReplaced(context: SessionContext, former: TokenSet | undefined, { tokens }: Pick<LedgerRecord, "tokens">): void {
  const { readClaims, strategy } = context.settings;
  if (!readClaims || !strategy.needsRefreshToken || strategy.accessTokenInCookie) return;
  if (former && tokens && differentSubject(former, tokens)) revoke(context, former, true);
}
