import type { SessionErrorCode } from "../errors.js";
import type { SignedOutReason, TokenSet } from "../types.js";

/** What all tabs of a session agree on. Instants are on the shared clock, in epoch milliseconds. */
export interface LedgerRecord {
  /** Changes with every sign-in and sign-out; a result from an older epoch is discarded. Grows. */
  readonly epoch: number;
  /** Counts commits: sign-ins, sign-outs and refreshes. Never reset. */
  readonly version: number;
  /** Counts `refreshing` marks. Who finds another number than its own has been passed over, and may not commit. */
  readonly fence: number;
  /** The tab that made the last commit. */
  readonly by: string;
  readonly signedIn: boolean;
  readonly reason?: SignedOutReason | undefined;
  readonly signedInAt: number;
  /** When somebody was last seen in any tab; absent before that, and where nobody looks. No commit of its own: changes neither version nor fence. */
  readonly lastActivityAt?: number | undefined;
  /** When, by what the server said, the session ends. */
  readonly endsAt?: number | undefined;
  /** When the last commit was made. No two of a session are of one tab and one moment. */
  readonly committedAt: number;
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  /** Drawn once, by the tab that committed: N tabs that each drew would refresh at the minimum of N draws. */
  readonly dueAt: number | null;
  /** Nobody can renew any more: no refresh token was given where one is needed, or the server refused it. */
  readonly final: boolean;
  /** The token without which nobody renews, wherever it is kept; an access token only while it is valid. Absent where a cookie does it. */
  readonly renewedBy?: "refreshToken" | "accessToken" | undefined;
  /** Who is refreshing. Outlives its tab, whose request may still be at the server. */
  readonly refreshing?: Mark | undefined;
  /** What has gone wrong since the last commit. */
  readonly failure?: Failure | undefined;
  /** A request was sent whose answer never came: the refresh token may have been used. */
  readonly lost: boolean;
  /** Which commit the access token in `tokens` is of, and when that was made; absent where it is the last one. */
  readonly renewed?: Renewal | undefined;
  /** Absent in memory mode, and when signed out. */
  readonly tokens?: LedgerTokens | undefined;
}

export interface Mark {
  readonly tab: string;
  readonly since: number;
  readonly timeout: number;
  /** The lock was taken from it while it may have been at work. */
  readonly robbed?: boolean | undefined;
}

export interface Renewal {
  readonly version: number;
  readonly at: number;
}

export interface LedgerTokens extends TokenSet {
  /** Access tokens for others than the one that the session is for, got with the same refresh token. */
  readonly audiences?: Readonly<Record<string, AudienceToken>> | undefined;
}

export interface AudienceToken extends Renewal {
  /** Absent before the first one. */
  readonly accessToken?: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  readonly dueAt: number | null;
  readonly failure?: Failure | undefined;
}

export interface Failure {
  readonly code: SessionErrorCode;
  readonly status?: number | undefined;
  readonly attempt: number;
  readonly at: number;
  /** When the scheduler tries again; null when it does not. */
  readonly retryAt: number | null;
  /** The server asked for the pause: nobody tries before `retryAt`, whatever the cause. */
  readonly throttled: boolean;
}

/** Within what a Date can hold: beyond it, adding a second changes nothing, and a timer set by it would never come to an end. */
const isNumber = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= 8.64e15;
const isInstant = (value: unknown) => value === null || isNumber(value);
const isOptional = (value: unknown, check: (value: Record<string, unknown>) => boolean) =>
  value === undefined || (typeof value === "object" && value !== null && check(value as Record<string, unknown>));

/** What came from storage or from a channel, if it is a record at all. */
export function parseRecord(value: unknown): LedgerRecord | undefined {
  const valid =
    value !== undefined &&
    isOptional(
      value,
      (record) =>
        [record.epoch, record.version, record.fence, record.signedInAt, record.committedAt, record.issuedAt].every(isNumber) &&
        [record.expiresAt, record.dueAt, record.lastActivityAt ?? null, record.endsAt ?? null].every(isInstant) &&
        typeof record.by === "string" &&
        [record.signedIn, record.final, record.lost].every((flag) => typeof flag === "boolean") &&
        [undefined, "refreshToken", "accessToken"].includes(record.renewedBy as undefined) &&
        isOptional(record.refreshing, (mark) => typeof mark.tab === "string" && isNumber(mark.since) && isNumber(mark.timeout)) &&
        isOptional(record.renewed, ({ version, at }) => isNumber(version) && isNumber(at)) &&
        isOptional(record.failure, (failure) => isNumber(failure.attempt) && isNumber(failure.at) && isInstant(failure.retryAt)) &&
        isOptional(record.tokens, ({ accessToken = "x" }) => typeof accessToken === "string" && /^[!-~]+$/.test(accessToken)),
    );
  return valid ? (value as LedgerRecord) : undefined;
}

export const withoutTokens = ({ tokens: _, ...rest }: LedgerRecord): LedgerRecord => rest;

/** Whatever each counts it as: a tab without storage counts anew what it hears. */
export const sameCommit = (one: LedgerRecord | undefined, other: LedgerRecord | undefined): boolean =>
  (["epoch", "by", "committedAt"] as const).every((part) => one?.[part] === other?.[part]);

/** Which commit the access token is of: later ones may have been of another audience. */
export const lastRenewal = ({ renewed, version, committedAt }: LedgerRecord): Renewal => renewed ?? { version, at: committedAt };

/** A moment that has been, on the shared clock. */
export const latestInstant = ({ committedAt, failure, refreshing, lastActivityAt }: LedgerRecord): number =>
  Math.max(committedAt, failure?.at ?? 0, refreshing?.since ?? 0, lastActivityAt ?? 0);

/** Whether `candidate` came after `known`. Needed only where no transaction orders them. */
export function isNewer(candidate: LedgerRecord, known: LedgerRecord | undefined): boolean {
  if (!known) return true;
  for (const part of ["epoch", "version", "fence"] as const) if (candidate[part] !== known[part]) return candidate[part] > known[part];
  // The same mark: cleared comes after standing, and of two that were set at once all tabs prefer the same one.
  if (!candidate.refreshing || !known.refreshing) return !candidate.refreshing && known.refreshing !== undefined;
  return candidate.refreshing.tab < known.refreshing.tab;
}

/** Whether `mine`, of `tab`, which was cut off from the ledger, is ahead of what is known to be there: by a session, by a commit, or by the means to renew. */
export function isFurther(mine: LedgerRecord | undefined, known: LedgerRecord | undefined, tab: string): boolean {
  if (!mine || !known) return !known && mine !== undefined;
  // That an earlier session came to its end is no news to a later one, unless the user ended it.
  if (!mine.signedIn && mine.reason !== "user" && known.signedIn && known.signedInAt > mine.signedInAt) return false;
  const same = sameCommit(mine, known);
  // The same commit, or what this tab itself has told the others. After another one's, its own refresh token has been used.
  const own = same || (mine.epoch === known.epoch && known.by === tab);
  if (own && known.renewedBy === "refreshToken" && !known.tokens?.refreshToken && mine.tokens?.refreshToken) return true;
  // Heard of, without the means to renew, it may count more and is no more.
  return !same && (mine.epoch - known.epoch || mine.version - known.version) > 0;
}

/** Of two that were made at once the later one may have counted less: counts never fall. */
export const notBelow = (record: LedgerRecord, known: LedgerRecord | undefined): LedgerRecord => ({
  ...record,
  version: Math.max(record.version, known?.version ?? 0),
  fence: Math.max(record.fence, known?.fence ?? 0),
});

/** What `tab` knows once it has heard `record`; undefined when that is no news. */
export function takeIn(record: LedgerRecord, known: LedgerRecord | undefined, tab: string): LedgerRecord | undefined {
  if (!known) return record;
  const same = sameCommit(record, known);
  // A commit that a tab without storage has counted anew, or an earlier one of this tab's own: what is known is more, unless it tells of a mark.
  const echo = same ? record.version > known.version && !record.refreshing : record.by === tab && record.epoch === known.epoch;
  // A message never holds the refresh token.
  const tokens = ((echo || same) && known.tokens) || record.tokens;
  if (isNewer(record, known)) return { ...(echo ? notBelow(known, record) : notBelow(record, known)), tokens };
  // The token of a commit that this tab had only heard of.
  return same && tokens !== known.tokens ? { ...known, tokens } : undefined;
}

/** The record after the session has ended; `reason` is absent when there was none. */
export function ended(
  record: LedgerRecord | undefined,
  by: string,
  now: number,
  random: number,
  reason: SignedOutReason,
  lost = false,
): LedgerRecord {
  return {
    by,
    epoch: nextEpoch(record, now, random),
    version: (record?.version ?? 0) + 1,
    fence: record?.fence ?? 0,
    signedIn: false,
    reason: record && reason,
    signedInAt: record?.signedInAt ?? now,
    committedAt: now,
    issuedAt: now,
    expiresAt: null,
    dueAt: null,
    final: true,
    lost,
  };
}

/** Grows even when storage was cleared meanwhile, and differs between tabs that draw it at the same moment. */
export function nextEpoch(record: LedgerRecord | undefined, now: number, random: number): number {
  return Math.max((record?.epoch ?? 0) + 1, Math.floor(now)) + random / 2;
}
