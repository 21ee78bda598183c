import type { CallTokens } from "../http/authorized-fetch.js";
import { addressOf, type Effort } from "../http/call.js";
import { uncuredIn } from "../ledger/facts.js";
import { noteRevocation, noteVerdict, type Transition } from "../ledger/transitions/index.js";
import { HANG_MS } from "../ledger/watched-store.js";
import type { SessionContext } from "./context.js";
import type { Credential, View } from "./view.js";

/**
 * Tells a revoked token, which a renewal cures, from an API that refuses every token. See
 * docs/decisions/0008-renewals-that-cure-nothing-are-paced.md.
 */
export interface Pace extends Pick<CallTokens<Credential>, "paced" | "judged"> {
  /** The API of this call refused the token. */
  refused(refused: Credential, effort: Effort): Promise<void>;
}

/** The most addresses in each set below. */
const ADDRESSES = 100;

export function createPace(context: SessionContext, view: Pick<View, "credential">): Pace {
  /** While renewals are paced: where this tab has seen this token accepted. */
  let accepted: { readonly sent?: Credential; readonly addresses: Set<string> } = { addresses: new Set() };
  /** The addresses where a renewal cured nothing. An accepted token proves little there. */
  const suspects = new Set<string>();

  const paced = (): boolean => !!context.ledger.current && uncuredIn(context.ledger.current).count > 0;

  /** Writes an API's verdict on a token, and tells the other tabs. */
  async function note(transition: Transition): Promise<void> {
    await context.waits.whileAwake(HANG_MS, context.ledger.apply(transition));
    context.tabs.announce();
  }

  return {
    paced,
    async refused(refused, effort) {
      // The same address accepted the token before. So the token was revoked since, and a renewal cures that.
      if (paced() && accepted.sent === refused && accepted.addresses.has(addressOf(effort))) await note(noteRevocation);
    },
    judged(sent, effort, accepts) {
      const { renewal, began } = effort;
      if (!paced()) suspects.clear();
      if (renewal !== undefined) {
        if (!accepts && suspects.size < ADDRESSES) suspects.add(addressOf(effort));
        if (accepts ? began && paced() : true) void note(noteVerdict(renewal, accepts));
      } else if (accepts && paced() && sent === view.credential && !suspects.has(addressOf(effort))) {
        if (accepted.sent !== sent) accepted = { sent, addresses: new Set() };
        if (accepted.addresses.size < ADDRESSES) accepted.addresses.add(addressOf(effort));
      }
    },
  };
}
