import type { LedgerRecord } from "../../src/ledger/record.js";

/** A record of a session in its third version. */
export function record(changes: Partial<LedgerRecord> = {}): LedgerRecord {
  return {
    epoch: 7,
    version: 3,
    fence: 2,
    by: "tab 1",
    signedIn: true,
    signedInAt: 1_000,
    committedAt: 2_000,
    issuedAt: 2_000,
    expiresAt: 62_000,
    dueAt: 50_000,
    final: false,
    renewedBy: "refreshToken",
    lost: false,
    tokens: { accessToken: "access", refreshToken: "refresh" },
    ...changes,
  };
}

export const fields = Object.keys(record()) as (keyof LedgerRecord)[];
