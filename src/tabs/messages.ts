import { parseRecord, type Reads, stamped } from "../ledger/format.js";
import type { LedgerRecord } from "../ledger/record.js";

/** A message between the tabs of a session. No message has a refresh token. */
export type Message =
  /** A tab wrote the ledger. It has `record.tokens` only where the ledger does not. `shared`: whether that tab shares the ledger with others. */
  | { readonly type: "changed"; readonly record: LedgerRecord; readonly shared: boolean }
  /**
   * Asks for tokens of `version` or a later one. A tab that can renew gets them from the server. `shared`: whether the asking tab can read the
   * ledger. `audience`: the audience of the token; absent for the session's own token.
   */
  | { readonly type: "ask"; readonly version: number; readonly shared: boolean; readonly audience?: string | undefined };

/** Returns undefined when the data is no message, since any script of this origin may post on this channel. */
export function parseMessage(data: unknown, reads?: Reads): Message | undefined {
  const message = (data ?? {}) as Message;
  if (message.type === "ask") return Number.isFinite(message.version) ? message : undefined;
  const record = message.type === "changed" && parseRecord(message.record, reads);
  // Of a newer release's record, only the part counts that this release has checked.
  if (!record || message.record.tokens?.refreshToken) return undefined;
  // Bound tokens are of no use without their key, and no tab tells of the key of a login.
  const tokens = record.bound && !record.tokens?.binding ? undefined : record.tokens;
  return { ...message, record: { ...record, tokens, pendingKey: undefined } };
}

/** Returns the record with only the tokens that other tabs may have. */
export function forOtherTabs(known: LedgerRecord, withAccessToken: boolean): LedgerRecord {
  const { tokens, pendingKey: _, ...record } = stamped(known);
  if (!tokens || !withAccessToken) return record;
  const { accessToken, idToken, scope, audiences, binding } = tokens;
  return { ...record, tokens: { accessToken, idToken, scope, audiences, ...(binding && { binding }) } };
}
