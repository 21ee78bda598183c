import { claimsOf, differentParty } from "../../token/claims.js";
import { expiryIn } from "../../token/lifetime.js";
import type { SignedOutReason, TokenSet } from "../../types/index.js";
import { canRenew } from "../facts.js";
import { isEndOf, mergeHeard, nextEpoch, sameCommit } from "../order.js";
import type { Failure, LedgerRecord } from "../record.js";
import { type IssueOptions, tokensIssued } from "../tokens-issued.js";
import type { Moment, Transition } from "./transition.js";

/** A user's request for a sign-in. */
export interface SignInRequest {
  /** Its time, on the shared clock. */
  readonly asked: number;
  /** The session that the tab knew by then. Undefined for none: then the tab perhaps had not noticed a clock that was ahead. */
  readonly epoch: number | undefined;
}

/** Begins a session with tokens. The outcome is the record that it replaced, or a later one, which stays. */
export const signIn =
  (tokens: TokenSet, { asked, epoch }: SignInRequest, options: IssueOptions): Transition<LedgerRecord | undefined> =>
  (known, moment) => {
    if (known && known.committedAt > asked) {
      const { by, signedIn, signedInAt, reason } = known;
      // Storage had refused this change, or this page was in the back/forward cache. An epoch is the time of its request, or above it.
      // Where the tab knew none, the times count, unless its clock has followed another tab's since.
      const isOther = by !== moment.tab && (epoch === undefined ? moment.now - moment.deviceNow < 1000 : known.epoch !== epoch);
      if (reason === "user" ? by === moment.tab || isOther : signedIn && isOther && Math.min(signedInAt, known.epoch) > asked)
        return { outcome: known };
    }
    return { ...tokensIssued(known, { tokens, begins: true, asked, age: 0 }, options, moment), outcome: known };
  };

/** Keeps the key of a login that is under way, unless there is a usable one. The outcome is the key that counts. `none`: the record where there is none. */
export const keepPendingKey =
  (keyPair: CryptoKeyPair, none: LedgerRecord, isUsable: (value: unknown) => value is CryptoKeyPair): Transition<CryptoKeyPair> =>
  (known = none) =>
    isUsable(known.pendingKey) ? { outcome: known.pendingKey } : { next: { ...known, pendingKey: keyPair }, outcome: keyPair };

/** Makes a record where there is none, since a sign-in by a cookie needs a record for its lease. */
export const prepareSignIn =
  (signedOut: LedgerRecord): Transition =>
  (known) => ({ next: known ? undefined : signedOut });

/** Takes the tokens of a session out of storage. Each tab that has them keeps them. */
export const keepInMemory: Transition = (known) => ({
  next: known?.signedIn && known.tokens && !known.inMemory ? { ...known, inMemory: true } : undefined,
});

/** Replaces the refresh token of the record by the handle that a worker gave for it. A tab that renews meanwhile has precedence. */
export const handOver =
  (refreshToken: string, handle: string): Transition =>
  (known) => ({
    next:
      known?.tokens?.refreshToken === refreshToken && !known.refreshing
        ? { ...known, tokens: { ...known.tokens, refreshToken: handle } }
        : undefined,
  });

/** The token of a response header, and the access token that its request had `sent`. */
export interface Offered {
  readonly tokens: TokenSet;
  readonly epoch: number;
  readonly sent: string;
}

/**
 * Takes the token of a response header, if it is later than the present one and of the same user. The outcome is whether the transition took
 * it. A refresh under way has precedence, since its answer is as new.
 */
export const acceptRenewal =
  ({ tokens, epoch, sent }: Offered, options: IssueOptions): Transition<boolean> =>
  (known, moment) => {
    const old = known?.tokens;
    if (!known?.signedIn || !old || known.epoch !== epoch || known.refreshing || !canRenew(known)) return { outcome: false };
    const [until, formerly] = [tokens, old].map((set) => expiryIn(claimsOf(set, options.readClaims), options.expiryClaim));
    // Without two expiries to compare, an answer to the present token is later.
    const isLater = until && formerly ? until > formerly : sent === old.accessToken;
    if (!isLater || tokens.accessToken === old.accessToken || (options.readClaims && differentParty(old, tokens)))
      return { outcome: false };
    return { ...tokensIssued(known, { tokens, begins: false, age: 0 }, options, moment), outcome: true };
  };

/** Ends the session of this commit. After another commit, the session goes on. `failure`: the failure that ended the session, if any. */
export const end =
  (expected: LedgerRecord | undefined, reason: SignedOutReason, failure?: Failure): Transition =>
  (known, moment) => ({
    next: known?.signedIn && sameCommit(known, expected) ? { ...signedOut(known, moment, reason), lost: known.lost, failure } : undefined,
  });

/** Ends the present session with `ended`, which was made at the user's request. The outcome is the replaced record. */
export const signOut =
  (ended: LedgerRecord): Transition<LedgerRecord | undefined> =>
  (known, { replaced = known }) => {
    if (!known) return { next: ended };
    // A tab has signed in since the request. A page that comes back from the cache must not end that session.
    if (known.epoch > ended.epoch) return {};
    const { version, fence, quietUntil, inMemory, pendingKey } = known;
    return {
      next: {
        ...ended,
        version: version + 1,
        fence,
        quietUntil,
        inMemory,
        pendingKey,
        reason: ended.reason ?? (replaced?.signedIn ? "user" : undefined),
      },
      outcome: replaced,
    };
  };

/**
 * Merges the record of another tab's message. `shared`: the tabs find that record in the shared ledger, so the message counts only as an end of
 * the session, whose tab may close before its own write is durable. Any script of this origin can send a message (R93).
 */
export const hear =
  (record: LedgerRecord, shared: boolean): Transition =>
  (known, moment) => {
    if (moment.alone || !shared) return { next: mergeHeard(record, known, moment.tab) };
    if (!known || !isEndOf(known, record)) return {};
    // Of the message, only the end counts, with its author and its reason. The numbers and the times are this tab's own.
    const { by, reason, failure, lost } = record;
    const ended = signedOut(known, moment, reason ?? "user");
    // The message may come late. A sign-in after that end has a higher epoch than the end.
    const epoch = record.epoch > known.epoch ? Math.min(record.epoch, ended.epoch) : ended.epoch;
    return { next: { ...ended, by, failure, lost, epoch } };
  };

/** Returns the record after the end of the session. Without a session before, the record has no `reason`. */
export function signedOut(
  known: LedgerRecord | undefined,
  { now, tab, random }: Pick<Moment, "now" | "tab" | "random">,
  reason: SignedOutReason,
): LedgerRecord {
  return {
    by: tab,
    epoch: nextEpoch(known, now, random()),
    version: (known?.version ?? 0) + 1,
    fence: known?.fence ?? 0,
    signedIn: false,
    reason: known && reason,
    signedInAt: known?.signedInAt ?? now,
    committedAt: now,
    issuedAt: now,
    expiresAt: null,
    dueAt: null,
    final: true,
    quietUntil: known?.quietUntil,
    lost: false,
    inMemory: known?.inMemory,
    pendingKey: known?.pendingKey,
  };
}
