import type { LedgerTokens } from "../ledger/record.js";
import { revoke, revokeReplaced } from "../refresh/revoke.js";
import type { Follower, SessionContext } from "./context.js";

/**
 * Revokes the tokens of a session that ended without a call of `signOut` or `signIn` in this tab. In memory mode, only the tab with the refresh
 * token can revoke it when another tab signs out, or signs another user in.
 */
export function createRevocation(context: SessionContext): Follower {
  /** The tokens of the session that another tab's sign-in replaced. The new token, which names its user, may come with a later message. */
  let replaced: LedgerTokens | undefined;
  return {
    changed({ record, before }) {
      const { by, reason, signedIn, tokens, epoch } = record;
      const adopted = by !== context.tab;
      const alone = before?.inMemory || !context.ledger.persistent;
      const held = adopted && alone && before?.tokens?.refreshToken ? before.tokens : undefined;
      // A limit ends a session without any call.
      const limited = reason === "idle" || reason === "max-age";
      const others = held && (limited || reason === "user");
      const own = !adopted && limited && before?.signedIn;
      if (others || own) revoke(context, before?.tokens);
      if (own) context.tabs.announce();

      if (signedIn && held && before?.epoch !== epoch) replaced = held;
      if (!replaced || (signedIn && !tokens)) return;
      if (signedIn) revokeReplaced(context, replaced, record);
      replaced = undefined;
    },
  };
}
