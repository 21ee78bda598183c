import type { LedgerRecord } from "../ledger/record.js";

/** When the session is too old, by the app's limit or the server's; no activity puts it off. `maxAge`: milliseconds, Infinity for none. */
export const tooOldAt = ({ signedInAt, endsAt = Infinity }: LedgerRecord, maxAge: number): number => Math.min(signedInAt + maxAge, endsAt);
