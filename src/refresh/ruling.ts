import { type Failure, type LedgerRecord, lastRenewal } from "../ledger/record.js";
import { refreshFloor } from "../token/lifetime.js";
import type { RefreshCause } from "../types.js";
import { demandDelay } from "./backoff.js";

/** What a tab that has its turn may do, judged by the record as it is now. */
export type Ruling =
  | "go"
  /** the session ended, or is another one */
  | "gone"
  /** another tab has renewed, and its token is here */
  | "adopted"
  /** the tokens, or the means to renew them, are in another tab */
  | "elsewhere"
  /** nobody can renew any more */
  | "final"
  /** an attempt failed, and the next one is not due yet */
  | "backoff"
  /** the token is too young to be refreshed again */
  | "young";

export interface Request {
  /** What there was when the refresh was asked for. */
  readonly base: LedgerRecord;
  cause: RefreshCause;
  /** On the shared clock. */
  readonly startedAt: number;
  /** The network is back: a pause that nobody asked for is over. */
  eager: boolean;
}

export const hasMeans = ({ renewedBy, tokens }: LedgerRecord): boolean => !renewedBy || tokens?.[renewedBy] !== undefined;

/** Milliseconds that the record's token lives; undefined when unknown. */
export const lifetimeIn = ({ expiresAt, issuedAt }: LedgerRecord): number | undefined =>
  expiresAt === null ? undefined : expiresAt - issuedAt;

export const isExpired = ({ expiresAt }: LedgerRecord, now: number): boolean => expiresAt !== null && now >= expiresAt;

/** Nobody can renew any more, whatever happens. */
export const isFinal = (record: LedgerRecord, now: number): boolean =>
  record.final || (record.renewedBy === "accessToken" && isExpired(record, now));

/** When a call that needs a token may cause the next attempt after one that failed. */
export function demandedAt(record: LedgerRecord): number {
  const { at, attempt, retryAt } = record.failure as Failure;
  return Math.min(retryAt ?? Infinity, at + demandDelay(attempt, lifetimeIn(record)));
}

/** Whether the access token is of a later commit, and not of the same one that a tab without storage has counted anew. */
export const isRenewed = (record: LedgerRecord, base: LedgerRecord): boolean =>
  lastRenewal(record).version > lastRenewal(base).version && lastRenewal(record).at !== lastRenewal(base).at;

/** The user signed out since the sign-in was asked for. Any other end of a session is no reason not to begin one. */
export const isCalledOff = (record: LedgerRecord, base: LedgerRecord): boolean =>
  record.epoch !== base.epoch && !record.signedIn && (record.reason ?? "user") === "user";

export function judge(record: LedgerRecord | undefined, { base, cause, startedAt, eager }: Request, now: number): Ruling {
  if (cause === "sign-in" && record) {
    if (isCalledOff(record, base)) return "gone";
    // Another tab has signed in meanwhile.
    return record.epoch !== base.epoch && record.signedIn && record.tokens ? "adopted" : "go";
  }
  if (!record?.signedIn || record.epoch !== base.epoch) return "gone";
  // A newer token that has expired meanwhile is as good as none.
  if (isRenewed(record, base) && !isExpired(record, now)) return record.tokens ? "adopted" : "elsewhere";
  if (isFinal(record, now)) return "final";
  const life = lifetimeIn(record);
  // A pause of the tab that can renew is one for the others as well.
  if (record.failure && pauses(record, record.failure)) return "backoff";
  if (!hasMeans(record)) return "elsewhere";
  // What the app signed in with may be older than it looks; what a refresh brought is not.
  const { at } = lastRenewal(record);
  if (at > record.signedInAt && cause !== "requested" && now - at < refreshFloor(life)) return "young";
  return "go";

  function pauses(record: LedgerRecord, { at, retryAt, throttled }: Failure): boolean {
    if (throttled) return retryAt !== null && now < retryAt;
    // Whoever waited while it failed shares the failure: one attempt, not one for each tab in the queue.
    if (at > startedAt) return true;
    if (cause === "requested" || eager) return false;
    if (retryAt === null) return true;
    return now < (cause === "due" ? retryAt : demandedAt(record));
  }
}
