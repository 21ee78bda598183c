import { readClaims } from "../token/claims.js";
import { dueAfter, expiryIn, type LeadOptions, LONGEST_LIFE_MS, lifetimeOf, UNSURE_LIFE_MS } from "../token/lifetime.js";
import type { RefreshStrategy, TokenSet } from "../types/index.js";
import type { Binding } from "./binding.js";
import { lastRenewal } from "./facts.js";
import { nextEpoch } from "./order.js";
import type { LedgerRecord, LedgerTokens } from "./record.js";
import type { Moment } from "./transitions/index.js";

export interface IssueOptions extends LeadOptions {
  readonly readClaims: boolean;
  readonly expiryClaim: string;
  readonly strategy: Omit<RefreshStrategy, "id" | "refresh">;
  /** Binds tokens to a key. @default the tokens are bearer tokens */
  readonly dpop?:
    | { bind(tokens: LedgerTokens, old: Binding | undefined, pending: CryptoKeyPair | undefined): Binding | undefined }
    | undefined;
  /** Where the tokens of a new session are kept. An object stands for memory. @default "indexeddb" */
  readonly persist?: unknown;
}

/** Tokens that a server has issued, and their purpose. */
export interface Issue {
  readonly tokens: TokenSet;
  /** Whether the tokens begin a session. Otherwise they renew the present one. */
  readonly begins: boolean;
  /** The time of the user's request for the new session. Of two sign-ins, the later request wins. @default the time of the transition */
  readonly asked?: number | undefined;
  /** The milliseconds since the request was sent. The tokens are at most that old. */
  readonly age: number;
}

/** Whether the answer has the same access token with the same expiry. For an opaque token, a new `expiresIn` means a later expiry. */
export const isUnchanged = ({ accessToken, expiresIn }: TokenSet, old: TokenSet): boolean =>
  !!accessToken && accessToken === old.accessToken && !(expiresIn && !readClaims(accessToken));

/** Returns the record after `previous` with the new tokens, and the problems with them for the developer. */
export function tokensIssued(
  previous: LedgerRecord | undefined,
  { tokens, begins, asked, age }: Issue,
  options: IssueOptions,
  { now, deviceNow, tab, random }: Moment,
): { readonly next: LedgerRecord; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const complain = (problem: string): unknown => problems.push(problem);
  const before = begins ? undefined : previous;
  const old: LedgerTokens = before?.tokens ?? {};
  const kept: { -readonly [Member in keyof LedgerTokens]: LedgerTokens[Member] } = {
    ...tokens,
    sessionExpiresIn: undefined,
    dpopKeyPair: undefined,
    audiences: old.audiences,
  };
  for (const name of ["refreshToken", "idToken", "scope"] as const) kept[name] ??= old[name];
  const { needsRefreshToken, needsValidToken, renewEvery } = options.strategy;
  kept.binding = options.dpop?.bind(tokens, old.binding, begins ? previous?.pendingKey : undefined);
  const renewedBy = needsValidToken ? "accessToken" : kept.refreshToken ? "refreshToken" : undefined;
  const final = needsRefreshToken && !kept.refreshToken;
  const claims = options.readClaims ? readClaims(kept.accessToken) : null;
  let lifetime = lifetimeOf(claims, kept.expiresIn, deviceNow, { expiryClaim: options.expiryClaim, complain });
  let issuedAt = now;
  let expiresAt: number | null = null;
  let dueAt: number | null = null;
  if (isUnchanged(kept, old)) {
    // The server gave the same token again, so its expiry stays. Another attempt before its expiry would change nothing.
    ({ issuedAt, expiresAt } = before!);
    dueAt = expiresAt;
  } else if (lifetime) {
    if (before?.expiresAt && claims?.iat && !kept.expiresIn && lifetime > before.expiresAt - before.issuedAt) {
      // Lifetimes seldom grow, so `iat` is probably the time of the login or of the refresh token. The difference of the two `exp` is a better
      // estimate, unless a clock has moved, too.
      const [exp, formerly] = [claims, readClaims(old.accessToken)].map((each) => expiryIn(each, options.expiryClaim));
      const likely = Math.max(before.expiresAt + exp! - formerly! - now + age, 0.9 * (before.expiresAt - lastRenewal(before).at));
      if (likely < lifetime) lifetime = likely > 30_000 ? likely : Math.min(lifetime, UNSURE_LIFE_MS);
    }
    // The server made the token at some time during the request. At least half of the lifetime counts, so that a slow server's token is usable.
    issuedAt = now - Math.min(age, lifetime / 2);
    expiresAt = issuedAt + lifetime;
    // The token of a sign-in may be older than its arrival. A refresh that comes too early does no harm.
    const exp = expiryIn(claims, options.expiryClaim);
    const older = begins && !final && !kept.expiresIn && exp ? Math.max(0, expiresAt - now + deviceNow - exp) : 0;
    if (older >= lifetime && (needsValidToken || !claims?.iat)) {
      // The token has expired by this device's clock, which may be wrong. An early refresh shows whether the server still accepts the token.
      dueAt = now;
    } else {
      issuedAt -= older;
      expiresAt -= older;
      dueAt = issuedAt + dueAfter({ lifetime, expiresAt, claims }, begins, options, { random, complain });
    }
  }
  const last = before?.committedAt ?? 0;
  // The random part only makes the refresh earlier, since the server's limit is fixed.
  if (renewEvery! < LONGEST_LIFE_MS) dueAt = Math.min(dueAt ?? Infinity, now + renewEvery! * (1 - 0.2 * random()));
  const next: LedgerRecord = {
    // The members of a newer release stay for as long as the session does.
    ...before,
    ...{ reason: undefined, renewed: undefined },
    // A failure after which nothing can renew is the reason of the end.
    failure: final ? before?.failure : undefined,
    epoch: before?.epoch ?? nextEpoch(previous, asked ?? now, random()),
    version: (previous?.version ?? 0) + 1,
    fence: previous?.fence ?? 0,
    by: tab,
    signedIn: true,
    signedInAt: before?.signedInAt ?? now,
    lastActivityAt: before?.lastActivityAt,
    endsAt: tokens.sessionExpiresIn ? now - age + Math.min(tokens.sessionExpiresIn * 1000, LONGEST_LIFE_MS) : before?.endsAt,
    // Two commits have different times. A commit time in the far future is dropped: the clock was wrong then.
    committedAt: last - now < 1000 ? Math.max(now, last + 1) : now,
    issuedAt,
    expiresAt,
    dueAt: final ? null : dueAt,
    final,
    renewedBy,
    // A login replaces the cookie at once. A holder under way may present the new cookie, so its lease stays and keeps the other tabs from it.
    refreshing: begins && !renewedBy ? previous?.refreshing : undefined,
    uncured: before?.uncured,
    quietUntil: previous?.quietUntil,
    lost: false,
    bound: kept.binding && true,
    inMemory: begins ? typeof options.persist === "object" || undefined : before?.inMemory,
    tokens: kept,
  };
  return { next, problems };
}
