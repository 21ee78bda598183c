import { type LedgerRecord, type LedgerTokens, nextEpoch } from "../ledger/record.js";
import { readClaims } from "../token/decode.js";
import { dueAfter, expiryIn, type LeadOptions, lifetimeOf } from "../token/lifetime.js";
import type { Claims, RefreshStrategy, TokenSet } from "../types.js";

export interface IssueOptions extends LeadOptions {
  readonly readClaims: boolean;
  readonly expiryClaim: string;
  readonly strategy: Omit<RefreshStrategy, "id" | "refresh">;
}

export interface IssueCircumstances {
  readonly now: number;
  /** When a new session was asked for: of two, the one that was asked for later wins. @default now */
  readonly asked?: number;
  /** Who commits. */
  readonly tab: string;
  /** How old the answer may be: milliseconds since the request was sent. */
  readonly age: number;
  readonly random: () => number;
  readonly complain: (problem: string) => void;
}

export function claimsOf(tokens: TokenSet | undefined, read: boolean): Claims | null {
  return read ? (readClaims(tokens?.accessToken) ?? readClaims(tokens?.idToken)) : null;
}

/** The record that follows `previous` when `tokens` were issued: a renewal of it, or, with `fresh`, a new session. */
export function issue(
  previous: LedgerRecord | undefined,
  tokens: TokenSet,
  fresh: boolean,
  options: IssueOptions,
  { now, asked = now, tab, age, random, complain }: IssueCircumstances,
): LedgerRecord {
  const before = fresh ? undefined : previous;
  const kept: LedgerTokens = {
    ...tokens,
    refreshToken: tokens.refreshToken ?? before?.tokens?.refreshToken,
    idToken: tokens.idToken ?? before?.tokens?.idToken,
    scope: tokens.scope ?? before?.tokens?.scope,
    sessionExpiresIn: undefined,
    audiences: before?.tokens?.audiences,
  };
  const { needsRefreshToken, needsValidToken, renewEvery = Infinity } = options.strategy;
  const final = needsRefreshToken && !kept.refreshToken;
  const claims = options.readClaims ? readClaims(kept.accessToken) : null;
  const lifetime = lifetimeOf(claims, kept.expiresIn, now, options.expiryClaim);
  let issuedAt = now;
  let expiresAt: number | null = null;
  let dueAt: number | null = null;
  if (before && kept.accessToken && before.tokens?.accessToken === kept.accessToken) {
    // The server gave the same token again: it is no younger than it was, and asking again before it dies changes nothing.
    ({ issuedAt, expiresAt } = before);
    dueAt = expiresAt;
  } else if (lifetime !== undefined) {
    // The token was made at some time during the request. Never less than half a life, or a slow server would mean no token at all.
    issuedAt = now - Math.min(age, lifetime / 2);
    expiresAt = issuedAt + lifetime;
    // What an app signs in with may be older than it looks. Too early does no harm: the refresh that follows tells the truth.
    const exp = expiryIn(claims, options.expiryClaim);
    const older = fresh && !final && !kept.expiresIn && exp ? Math.max(0, expiresAt - exp * 1000) : 0;
    if (needsValidToken && older >= lifetime) {
      // Nothing could follow if it has expired, and perhaps it is only the clock that says so: the server knows, so it is asked at once.
      dueAt = now;
    } else {
      issuedAt -= older;
      expiresAt -= older;
      dueAt = Math.min(expiresAt, issuedAt + dueAfter({ lifetime, expiresAt, claims }, fresh, options, random, complain));
    }
  }
  const last = before?.committedAt ?? 0;
  // Chance only ever makes it earlier.
  if (renewEvery < Infinity) dueAt = Math.min(dueAt ?? Infinity, now + renewEvery * (1 - 0.2 * random()));
  return {
    epoch: before ? before.epoch : nextEpoch(previous, asked, random()),
    version: (previous?.version ?? 0) + 1,
    fence: previous?.fence ?? 0,
    by: tab,
    signedIn: true,
    signedInAt: before ? before.signedInAt : now,
    lastActivityAt: before?.lastActivityAt,
    endsAt: tokens.sessionExpiresIn === undefined ? before?.endsAt : now - age + tokens.sessionExpiresIn * 1000,
    // Unless the clock was taken back since: a moment that was wrong is not carried on.
    committedAt: last - now < 1000 ? Math.max(now, last + 1) : now,
    issuedAt,
    expiresAt,
    dueAt: final ? null : dueAt,
    final,
    renewedBy: needsValidToken ? "accessToken" : kept.refreshToken ? "refreshToken" : undefined,
    // A login replaces the cookie at once: whoever is refreshing presents the new one, and nobody else may meanwhile.
    refreshing: fresh && !kept.refreshToken && !needsValidToken ? previous?.refreshing : undefined,
    lost: false,
    tokens: kept,
  };
}
