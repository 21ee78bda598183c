import { NOTHING_UNCURED, uncuredIn } from "../facts.js";
import type { LedgerRecord, Uncured } from "../record.js";
import type { Transition } from "./transition.js";

/** Notes the user's last activity. `activeAt`: returns its time in the session of a record, as far as this tab knows. */
export const noteActivity =
  (activeAt: (known: LedgerRecord) => number): Transition =>
  (known) => {
    const at = known?.signedIn ? activeAt(known) : 0;
    return {
      next: known && at > (known.lastActivityAt ?? known.signedInAt) ? { ...known, lastActivityAt: at } : undefined,
    };
  };

/** Notes that an API refused a token that it had accepted before. The token was revoked, and a renewal cures that. */
export const noteRevocation: Transition = (known, { now }) => ({
  next: known && withUncured(known, { asked: 0, at: now }),
});

/** Notes whether an API surely accepted the token that was renewed for a refusal, in the commit at `renewal`. */
export const noteVerdict =
  (renewal: number, accepted: boolean): Transition =>
  (known, { now: at }) => ({ next: known?.signedIn ? afterVerdict(known, renewal, accepted, at) : undefined });

function afterVerdict(known: LedgerRecord, renewal: number, accepted: boolean, at: number): LedgerRecord | undefined {
  const { count, judged } = uncuredIn(known);
  if (accepted) return count ? withUncured(known, { ...NOTHING_UNCURED, at }) : undefined;
  // Each renewal counts once, for all its calls. A time in the future comes from a wrong clock.
  return renewal <= judged && judged <= at ? undefined : withUncured(known, { count: Math.max(0, count) + 1, at, judged: renewal });
}

/** Returns the record with a change of its `uncured` entry. */
export const withUncured = (known: LedgerRecord, news: Partial<Uncured>): LedgerRecord => ({
  ...known,
  uncured: { ...known.uncured, "": { ...uncuredIn(known), ...news } },
});
