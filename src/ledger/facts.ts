import { LONGEST_PAUSE_MS } from "../errors.js";
import { safetyMargin } from "../token/lifetime.js";
import { demandDelay } from "./backoff.js";
import { isNewerRelease } from "./format.js";
import type { LedgerRecord, Renewal, Uncured } from "./record.js";

/** Returns the commit of the session's access token. Later commits may belong to another audience. */
export const lastRenewal = ({ renewed, version, committedAt }: LedgerRecord): Renewal => renewed ?? { version, at: committedAt };

/** Whether this copy of the record has the token that a renewal needs. */
export const canRenew = ({ renewedBy, tokens }: LedgerRecord): boolean => !renewedBy || tokens?.[renewedBy] !== undefined;

/** Returns the lifetime of the record's token in milliseconds, or undefined when it is unknown. */
export const lifetimeIn = ({ expiresAt, issuedAt }: LedgerRecord): number | undefined =>
  expiresAt === null ? undefined : expiresAt - issuedAt;

export const isExpired = ({ expiresAt }: LedgerRecord, now: number): boolean => expiresAt !== null && now >= expiresAt;

/** Whether no tab can renew the session any more. */
export const cannotRenew = (record: LedgerRecord, now: number): boolean =>
  record.final || (record.renewedBy === "accessToken" && isExpired(record, now));

/** Returns the end of the time in which a call may send the token, since the token has to arrive while it is valid. */
export const usableUntil = ({ expiresAt, issuedAt }: LedgerRecord): number =>
  expiresAt === null ? Infinity : expiresAt - safetyMargin(expiresAt - issuedAt);

/** Returns the milliseconds for which all tabs still wait at the server's request. A wrong clock may have written more than `LONGEST_PAUSE_MS`, which counts as 0. */
export function quietFor({ quietUntil = 0 }: LedgerRecord, now: number): number {
  const rest = quietUntil - now;
  return rest > 0 && rest <= LONGEST_PAUSE_MS ? rest : 0;
}

/**
 * Returns the time from which a call may cause the next attempt, by the pace of failures alone. It is Infinity when the set-up is wrong, since
 * another attempt would fail as well.
 */
export function demandedAt(record: LedgerRecord): number {
  const { failure, refreshing } = record;
  if (failure?.retryAt === null) return Infinity;
  // The lease still stands, so another attempt has to wait.
  if (failure && refreshing?.late) return failure.retryAt;
  return failure ? Math.min(failure.retryAt, failure.at + demandDelay(failure.attempt, lifetimeIn(record))) : 0;
}

export const NOTHING_UNCURED: Uncured = { count: 0, at: 0, asked: 0, judged: 0 };
export const uncuredIn = ({ uncured }: LedgerRecord): Uncured => uncured?.[""] ?? NOTHING_UNCURED;

/** Whether renewals for a refusal have cured nothing lately, the token was renewed for one, and the next such renewal is not due yet. */
export function isPaced(record: LedgerRecord, now: number): boolean {
  const { count, at, asked } = uncuredIn(record);
  return count > 0 && asked === lastRenewal(record).at && Math.abs(now - at) < demandDelay(count, undefined);
}

/** The next action of the scheduler, and its time on the shared clock. */
export interface Plan {
  readonly action: "refresh" | "end";
  readonly at: number;
}

/**
 * Plans the next action. Returns undefined for a session that has ended, and for a token without a known expiry. With `renews` false, the
 * plan lets the token expire. The plan has no renewal before `notBefore`. `limit`: the end of the session by `maxAge` or the server.
 */
export function planNext(record: LedgerRecord | undefined, limit: number, renews = true, notBefore = 0): Plan | undefined {
  if (!record?.signedIn || isNewerRelease(record)) return undefined;
  const { failure, dueAt, expiresAt, final, renewedBy } = record;
  // The session has no way to renew, or its set-up is wrong and another attempt would fail as well.
  const hopeless = final || failure?.retryAt === null;
  const last = hopeless || renewedBy === "accessToken" ? (expiresAt ?? Infinity) : Infinity;
  const end = Math.min(limit, last);
  // The tab that can renew does so when the token is due. The other tabs ask for its result when their token expires.
  const wanted = failure?.retryAt ?? (canRenew(record) ? dueAt : expiresAt);
  const at = wanted && Math.max(wanted, notBefore);
  // A token that lives as long as the session needs no renewal.
  if (renews && !hopeless && at !== null && at < end && usableUntil(record) < end) return { action: "refresh", at };
  return end < Infinity ? { action: "end", at: end } : undefined;
}
