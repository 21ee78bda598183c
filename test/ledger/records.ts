import type { LedgerRecord, Uncured } from "../../src/ledger/record.js";
import type { IssueOptions } from "../../src/ledger/tokens-issued.js";
import type { Moment } from "../../src/ledger/transitions/index.js";
import { fixed } from "../../src/testing/chance.js";

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
    format: 1,
    servedFrom: 1,
    ...changes,
  };
}

export const fields = Object.keys(record()) as (keyof LedgerRecord)[];

/** The moment at which `tab 2` makes a change, while the record's token is valid. */
export const moment = (changes: Partial<Moment> = {}): Moment => ({
  now: 40_000,
  deviceNow: 40_000,
  monotonic: 40_000,
  tab: "tab 2",
  alone: false,
  random: fixed(0.5),
  ...changes,
});

/** A record with so many renewals for a refusal that cured nothing. The last of them is the record's own commit. */
export const uncured = (count: number, at = moment().now, changes: Partial<Uncured> = {}): LedgerRecord =>
  record({ uncured: { "": { count, at, asked: record().committedAt, judged: 0, ...changes } } });

export const options: IssueOptions = { readClaims: true, expiryClaim: "exp", strategy: { needsRefreshToken: true } };
