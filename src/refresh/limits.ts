import type { LedgerRecord } from "../ledger/record.js";
import type { SignedOutReason } from "../types.js";

/** What ends a session although it could be renewed. */
export interface LimitOptions {
  /** Milliseconds from sign-in; Infinity for none. */
  readonly maxAge: number;
  readonly idle: { readonly after: number } | undefined;
}

/** Signing in is a sign of life, too. */
export const activeAt = ({ lastActivityAt, signedInAt }: LedgerRecord): number => lastActivityAt ?? signedInAt;

/** When the session is too old, by the app's limit or the server's; no activity puts it off. */
export const tooOldAt = ({ signedInAt, endsAt }: LedgerRecord, { maxAge }: LimitOptions): number =>
  Math.min(signedInAt + maxAge, endsAt ?? Infinity);

/** Until when, as far as is known, the session may be used. */
export const limitOf = (record: LedgerRecord, options: LimitOptions): number =>
  Math.min(tooOldAt(record, options), activeAt(record) + (options.idle?.after ?? Infinity));

/** Why the session is over, if it is. */
export function overrun(record: LedgerRecord, options: LimitOptions, now: number): SignedOutReason | undefined {
  if (!record.signedIn || now < limitOf(record, options)) return undefined;
  return now < tooOldAt(record, options) ? "idle" : "max-age";
}
