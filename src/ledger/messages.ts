import { type LedgerRecord, parseRecord } from "./record.js";

/** What tabs tell each other. A refresh token is never in it. */
export type Message =
  /** The ledger was written. `record.tokens` only where the ledger does not hold them, and never with a refresh token. */
  | { readonly type: "changed"; readonly record: LedgerRecord }
  /** Who has tokens of a version from `version` on? Whoever could make them does. `shared`: whether the asker can read the ledger. `audience`: whose, if not the session's own. */
  | { readonly type: "ask"; readonly version: number; readonly shared: boolean; readonly audience?: string | undefined };

/** Checks a message from whoever else posts on this channel. */
export function parseMessage(data: unknown): Message | undefined {
  const message = (data ?? {}) as Record<string, unknown>;
  if (message.type === "ask" && Number.isFinite(message.version)) return message as Message;
  const record = message.type === "changed" ? parseRecord(message.record) : undefined;
  if (!record || record.tokens?.refreshToken) return undefined;
  return message as Message;
}

/** The record as others may hear it. */
export function forSiblings({ tokens, ...record }: LedgerRecord, withAccessToken: boolean): LedgerRecord {
  if (!tokens || !withAccessToken) return record;
  const { accessToken, idToken, scope, audiences } = tokens;
  return { ...record, tokens: { accessToken, idToken, scope, audiences } };
}
