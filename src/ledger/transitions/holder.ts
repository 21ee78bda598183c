import type { SessionError } from "../../errors.js";
import { differentParty } from "../../token/claims.js";
import type { SignedOutReason, TokenSet } from "../../types/index.js";
import { isFinal, retryDelay } from "../backoff.js";
import type { Binding } from "../binding.js";
import { isExpired, lastRenewal, lifetimeIn } from "../facts.js";
import { isCalledOff } from "../order.js";
import type { Failure, LedgerRecord } from "../record.js";
import { type IssueOptions, tokensIssued } from "../tokens-issued.js";
import { mayWrite } from "./lease.js";
import { withUncured } from "./notes.js";
import { signedOut } from "./session.js";
import type { Moment, Step, Transition } from "./transition.js";

/** The holder of a lease, which writes the result of its attempt. */
export interface Holder {
  /** The record with the lease, as the tab took it. */
  readonly lease: LedgerRecord;
  /** Whether the attempt begins a session. There may be none yet. */
  readonly begins: boolean;
}

/** Makes a transition of the holder. Its outcome is the written record, or undefined when the holder may no longer write. */
function byHolder(
  { lease, begins }: Holder,
  retryAfter: number | undefined,
  change: (known: LedgerRecord, moment: Moment) => Pick<Step<unknown>, "next" | "problems">,
): Transition<LedgerRecord | undefined> {
  return (known, moment) => {
    // The end of the session before does not stop a sign-in, unless the user ended it.
    const outlived = begins && known && !known.signedIn && !known.refreshing && !isCalledOff(known, lease);
    const step = outlived || mayWrite(known, lease) ? change(known, moment) : {};
    if (step.next || !known) return { ...step, outcome: step.next };
    // After a sign-in by a cookie, the lease of the holder stays, and the holder gives it back here.
    const freed = known.refreshing && known.fence === lease.fence && { refreshing: undefined };
    // A pause that the server asked for binds all tabs, also when its answer came too late to commit.
    const quiet = retryAfter && { quietUntil: moment.now + retryAfter };
    return { next: freed || quiet ? { ...known, ...freed, ...quiet } : undefined };
  };
}

export interface Answer {
  readonly tokens: TokenSet;
  /** The milliseconds since the request was sent. */
  readonly age: number;
  /** Whether an API had refused the token before. */
  readonly refused: boolean;
}

export const commit = (holder: Holder, { tokens, age, refused }: Answer, options: IssueOptions): Transition<LedgerRecord | undefined> =>
  byHolder(holder, undefined, (known, moment) => {
    const { lease, begins } = holder;
    // Another user's answer is never merged into this session (R44).
    if (!begins && options.readClaims && differentParty(lease.tokens, tokens)) return { next: signedOut(known, moment, "subject-changed") };
    const { next, problems } = tokensIssued(known, { tokens, begins, age }, options, moment);
    const released = { ...next, refreshing: undefined, quietUntil: undefined };
    return { next: refused ? withUncured(released, { asked: next.committedAt, at: next.committedAt }) : released, problems };
  });

export interface Failed {
  readonly error: SessionError;
  readonly attempt: number;
  /** Whether a caller waits for the token. Then a refusal ends the session, even if the token has not expired (R20). */
  readonly demanded: boolean;
  /** The refresh token of an answer that is a failure otherwise. The server may have used up the one before (R62). */
  readonly refreshToken?: string | undefined;
  /** The key to which that refresh token is bound, if any. The access token is sent as before. */
  readonly binding?: Binding | undefined;
}

export const fail = (holder: Holder, failed: Failed): Transition<LedgerRecord | undefined> =>
  byHolder(holder, failed.error.retryAfter, (known, moment) => {
    const { refreshToken, binding } = failed;
    // The deadline came first, and its failure stays.
    if (!known.refreshing && !refreshToken) return {};
    const next = afterFailure(known, failed, moment);
    if (!refreshToken || !next.signedIn) return { next };
    // The change is a commit, so that every tab uses the new refresh token. `renewed` keeps the commit of the access token.
    const scheme = known.tokens?.binding?.scheme ?? "Bearer";
    const tokens = { ...known.tokens, refreshToken, binding: binding && { ...binding, scheme } };
    const { now: committedAt, tab: by } = moment;
    return {
      next: {
        ...next,
        version: known.version + 1,
        by,
        committedAt,
        renewed: lastRenewal(known),
        lost: false,
        bound: binding && true,
        tokens,
      },
    };
  });

/**
 * Stores the failure at the deadline, and keeps the lease for `rest` more milliseconds, since the answer may have a rotated token (R84). The
 * answer is not lost yet. See docs/decisions/0007-the-deadline-ends-the-waiting.md.
 */
export const prolongLease = (holder: Holder, failed: Failed, rest: number): Transition<LedgerRecord | undefined> =>
  byHolder(holder, undefined, (known, moment) => {
    if (!known.refreshing) return {};
    const next = afterFailure(known, failed, moment);
    const retryAt = (next.failure?.retryAt ?? moment.now) + rest;
    const failure = next.failure && { ...next.failure, retryAt };
    return { next: { ...next, refreshing: { ...known.refreshing, timeout: rest, late: true }, lost: known.lost, failure } };
  });

function afterFailure(known: LedgerRecord, { error, attempt, demanded }: Failed, moment: Moment): LedgerRecord {
  const { now, random } = moment;
  const { code, status, lost, retryAfter } = error;
  const quietUntil = retryAfter ? now + retryAfter : known.quietUntil;
  const released = { ...known, refreshing: undefined, lost: known.lost || lost, quietUntil };
  // A sign-in failed, and `signIn` rejects.
  if (!known.signedIn) return released;
  // An odd answer: the server works, and its answer is neither tokens nor a refusal.
  const odd = /^(inv|uns|server[24](?!08|29))/.test(code + status) ? (known.failure?.odd || 0) + 1 : 0;
  const failure: Failure = { code, status, attempt, at: now, retryAt: null, odd };
  if (isFinal(code)) {
    if (demanded || isExpired(known, now)) return { ...signedOut(known, moment, code as SignedOutReason), lost: known.lost, failure };
    const tokens = known.tokens && { ...known.tokens, refreshToken: undefined };
    return { ...released, final: true, renewedBy: undefined, dueAt: null, tokens, failure };
  }
  // After a wrong set-up, another attempt would fail as well.
  if (code === "configuration") return { ...released, failure };
  const validity = known.expiresAt === null ? undefined : known.expiresAt - now;
  const delay = retryDelay({ ...failure, validity, lifetime: lifetimeIn(known), lost: lost && !known.lost, retryAfter }, random);
  return { ...released, failure: { ...failure, retryAt: now + delay } };
}
