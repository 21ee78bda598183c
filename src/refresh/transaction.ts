import { SessionError } from "../errors.js";
import { ended, type LedgerRecord } from "../ledger/record.js";
import { differentParty } from "../token/decode.js";
import type { TokenSet } from "../types.js";
import { attemptRefresh } from "./attempt.js";
import { retryDelay } from "./backoff.js";
import { claimsOf, issue } from "./issue.js";
import { type Flight, OBJECTION, type RefresherParts, type Turn } from "./parts.js";
import { isCalledOff, isRenewed, lifetimeIn } from "./ruling.js";

export interface Transaction {
  /** From the mark in the ledger to its result there: sends the request, and writes what came of it, however late. */
  run(flight: Flight, marked: LedgerRecord, started: number): Promise<Turn>;
  /** Leaves no timer. What is under way goes on: its answer may be a rotated token. */
  stop(): void;
}

/**
 * Whether the attempt that set this mark may still write: nobody has begun or ended a session or committed, and no other mark stands. Who
 * passed this tab over and got nothing for it is no reason to throw a rotated token away, nor are counts that went up without a commit, as
 * they do where storage has failed.
 */
export const mayWrite = (record: LedgerRecord | undefined, { epoch, version, refreshing }: LedgerRecord): record is LedgerRecord =>
  record?.epoch === epoch &&
  (record.refreshing
    ? record.refreshing.tab === refreshing?.tab && record.refreshing.since === refreshing.since
    : record.version === version);

const ENDED = "the session ended during the refresh";

export function createTransaction(parts: RefresherParts): Transaction {
  const { environment, clock, ledger, strategy, tab, options, debug } = parts;
  const underWay = new Set<() => void>();

  async function run(flight: Flight, marked: LedgerRecord, started: number): Promise<Turn> {
    const { refreshTimeout } = options;
    const number = (marked.failure?.attempt ?? 0) + 1;
    debug("refresh-started", { cause: flight.cause, attempt: number, version: marked.version });
    const { audiences: _, ...tokens } = marked.tokens ?? {};
    // The sign-in that follows a session is not bound by its limits.
    const overrun = () => flight.cause !== "sign-in" && parts.overrun();
    const attempt = attemptRefresh(environment, strategy, tokens, flight.cause, number, started, refreshTimeout, flight.over, overrun);
    underWay.add(attempt.stop);
    const finished = attempt.answer
      .then(
        (fresh) => commit(flight, marked, fresh, environment.monotonic() - started),
        (error: SessionError) => fail(flight, marked, error),
      )
      .finally(() => {
        underWay.delete(attempt.stop);
        // It came after everybody had stopped waiting, and so without the lock.
        if (flight.over.aborted) parts.unlocked();
      });
    const late = attempt.expired.then((error) => fail(flight, marked, error));
    const abandoned = new Promise<Turn>((resolve) => flight.over.addEventListener("abort", () => resolve({ wait: 0 })));
    return Promise.race([finished, late, abandoned]);
  }

  /** Writes a result, if this attempt may still write one. Resolves with what the ledger says then. */
  async function write(flight: Flight, marked: LedgerRecord, change: (known: LedgerRecord) => LedgerRecord | undefined) {
    let accepted = false;
    flight.writing = true;
    const record = await ledger.update((known) => {
      // A sign-in goes on when the session before it comes to its end, unless the user ended it.
      const outlived = flight.cause === "sign-in" && known && !known.signedIn && !known.refreshing && !isCalledOff(known, marked);
      const next = outlived || mayWrite(known, marked) ? change(known) : undefined;
      accepted = next !== undefined;
      // A sign-in by a cookie leaves the mark of whoever may be presenting that.
      return next ?? (known?.refreshing && known.fence === marked.fence ? { ...known, refreshing: undefined } : undefined);
    }, true);
    flight.writing = false;
    if (accepted) parts.announce();
    const adopted = !accepted && record?.signedIn && record.tokens && isRenewed(record, marked);
    return { accepted, record, turn: adopted ? ("adopted" as const) : undefined };
  }

  async function commit(flight: Flight, marked: LedgerRecord, tokens: TokenSet, age: number): Promise<Turn> {
    const { readClaims } = options;
    const stale = marked.expiresAt !== null && clock.now() >= marked.expiresAt;
    if (stale && tokens.accessToken && tokens.accessToken === marked.tokens?.accessToken) {
      return fail(flight, marked, new SessionError("invalid-response", "the answer is the token that has expired"));
    }
    // Another user's answer is never merged into this session (R44).
    const begins = flight.cause === "sign-in";
    const stranger = !begins && differentParty(claimsOf(marked.tokens, readClaims), claimsOf(tokens, readClaims));
    const { accepted, record, turn } = await write(flight, marked, (known) => {
      const now = clock.now();
      if (stranger) return ended(known, tab, now, environment.random(), "subject-changed");
      const next = issue(known, tokens, begins, options, { now, tab, age, random: environment.random, complain: parts.complain });
      return { ...next, refreshing: undefined };
    });
    debug(accepted ? "refresh-committed" : "refresh-discarded", { version: record?.version });
    if (accepted && !stranger) return "refreshed";
    // Without a token of its own, the request would end whichever session has the cookie by now.
    const own = tokens.refreshToken ?? strategy.needsValidToken;
    if (record?.epoch !== marked.epoch && (own || !record?.signedIn)) parts.discarded(tokens);
    return turn ?? new SessionError("signed-out", ENDED);
  }

  async function fail(flight: Flight, marked: LedgerRecord, error: SessionError): Promise<Turn> {
    if (error.code === "rejected" && !ledger.shared && environment.openChannel) {
      // Without a shared ledger another tab may have been first (R3): it has a moment to say so.
      parts.ask(marked.version + 1);
      await new Promise<void>((resolve) => environment.setTimeout(resolve, OBJECTION));
    }
    const attempt = (marked.failure?.attempt ?? 0) + 1;
    let retryAt: number | null = null;
    const { accepted, record, turn } = await write(flight, marked, (known) => {
      // The deadline was first, and what it wrote stands.
      if (!known.refreshing) return undefined;
      const next = afterFailure(known, error, attempt, flight.cause !== "due");
      retryAt = next.failure?.retryAt ?? null;
      return next;
    });
    if (accepted) {
      debug("refresh-failed", { code: error.code, status: error.status, attempt, lost: error.lost });
      if (marked.signedIn) parts.failed(error, attempt, retryAt);
    }
    if (!accepted && marked.signedIn && !record?.signedIn) return new SessionError("signed-out", ENDED);
    return turn ?? error;
  }

  /** `demanded`: somebody needs the token now, so that a refusal ends the session even if the token has not expired (R20). */
  function afterFailure(known: LedgerRecord, error: SessionError, attempt: number, demanded: boolean): LedgerRecord {
    const now = clock.now();
    const { code, status, lost, retryAfter } = error;
    const validity = known.expiresAt === null ? undefined : known.expiresAt - now;
    const cleared = { ...known, refreshing: undefined, lost: known.lost || lost };
    // A sign-in that came to nothing: who called it is told.
    if (!known.signedIn) return cleared;
    const failure = { code, status, attempt, at: now, retryAt: null, throttled: false };
    if (code === "rejected") {
      if (demanded || (validity ?? 1) <= 0) return ended(known, tab, now, environment.random(), "rejected", known.lost);
      const tokens = known.tokens && { ...known.tokens, refreshToken: undefined };
      return { ...cleared, final: true, renewedBy: undefined, dueAt: null, tokens, failure };
    }
    // Asking again does not mend a mistake in the set-up.
    if (code === "configuration") return { ...cleared, failure };
    const delay = retryDelay({ attempt, validity, lifetime: lifetimeIn(known), lost: lost && !known.lost, retryAfter }, environment.random);
    return { ...cleared, failure: { ...failure, retryAt: now + delay, throttled: retryAfter !== undefined } };
  }

  return {
    run,
    stop() {
      for (const stop of underWay) stop();
    },
  };
}
