import { SessionError } from "../errors.js";
import type { Ledger } from "../ledger/ledger.js";
import { ended, type LedgerRecord, sameVersion } from "../ledger/record.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import type { Lock } from "../tabs/lock.js";
import { differentParty } from "../token/decode.js";
import { refreshFloor } from "../token/lifetime.js";
import type { RefreshCause, RefreshStrategy, TokenSet } from "../types.js";
import { attemptRefresh } from "./attempt.js";
import { retryDelay } from "./backoff.js";
import { deadline } from "./deadline.js";
import { claimsOf, type IssueOptions, issue } from "./issue.js";
import { createMarks } from "./marks.js";
import { judge, lifetimeIn, type Request, type Ruling } from "./ruling.js";

export type Refreshed = "refreshed" | "adopted";

export interface RefresherParts {
  readonly environment: Environment;
  readonly clock: SharedClock;
  readonly ledger: Ledger;
  readonly lock: Lock;
  readonly strategy: RefreshStrategy;
  /** Names this session object in the ledger's mark. */
  readonly tab: string;
  readonly options: IssueOptions & { readonly refreshTimeout: number; readonly takeoverAfter: number; readonly reuseGrace: number };
  /** Tells the other tabs what the ledger now says. */
  announce(): void;
  /** Asks the other tabs for tokens of this version or a later one. */
  ask(version: number): void;
  /** The lock is free: whatever waits for that may run. */
  unlocked(): void;
  failed(error: SessionError, attempt: number, retryAt: number | null): void;
  /** Tokens that came after the session had ended. */
  discarded(tokens: TokenSet): void;
  complain(problem: string): void;
  debug(type: string, details?: Record<string, unknown>): void;
}

export interface Refresher {
  /** Renews, or adopts what another tab got. One at a time: who asks meanwhile shares the outcome. Settles within 2 × `refreshTimeout` + 5 s. */
  refresh(cause: RefreshCause, eager?: boolean): Promise<Refreshed>;
  /** The ledger changed. */
  seen(record: LedgerRecord): void;
  /** Rejects whoever waits and leaves no timer. A request under way goes on: its answer may be a rotated token. */
  stop(error: SessionError): void;
}

interface Flight extends Request {
  readonly promise: Promise<Refreshed>;
  /** Aborts every wait; never the request. */
  readonly over: AbortController;
  /** Its own result is being written; what the ledger then says is its own result. */
  writing: boolean;
  settle(outcome: Refreshed | SessionError): void;
}

/** What came of one turn with the lock: an outcome, or how long to wait before the next turn, and why if there is none. */
type Turn = Refreshed | SessionError | { wait: number; why?: SessionError };

/** A lock that is not granted is asked for again after this long: Chromium starves whoever waits for a page in its back/forward cache. */
const PATIENCE = 5000;
/** Waits are cut into pieces of this length, since the message that would end them may be lost. */
const LOOK_AGAIN = 1000;
/** Without a shared ledger: how long siblings have to object. */
const OBJECTION = 150;

export function createRefresher(parts: RefresherParts): Refresher {
  const { environment, clock, ledger, lock, strategy, tab, options, debug } = parts;
  const { refreshTimeout } = options;
  const marks = createMarks(environment, clock, lock, tab, options);
  let flight: Flight | undefined;
  let wake = (): void => {};
  const attempts = new Set<() => void>();

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = environment.setTimeout(resolve, milliseconds);
      wake = () => {
        environment.clearTimeout(timer);
        resolve();
      };
    });
  }

  function refresh(cause: RefreshCause, eager = false): Promise<Refreshed> {
    if (flight) {
      // Who waits for it raises it: a pause that binds the scheduler does not bind the app, and a refusal now ends the session.
      if (cause !== "due" && flight.cause !== "requested") flight.cause = cause;
      flight.eager ||= eager;
      return flight.promise;
    }
    const base = ledger.current;
    if (!base?.signedIn) return Promise.reject(new SessionError("signed-out", "there is no session to refresh"));
    let settle!: Flight["settle"];
    const over = new AbortController();
    const promise = new Promise<Refreshed>((resolve, reject) => {
      settle = (outcome) => {
        if (over.signal.aborted) return;
        over.abort();
        stopLimit();
        if (flight === mine) flight = undefined;
        wake();
        typeof outcome === "string" ? resolve(outcome) : reject(outcome);
      };
    });
    promise.catch(() => {});
    // Whatever hangs (storage, locks), who waits does not.
    const stopLimit = deadline(environment, environment.monotonic() + 2 * refreshTimeout + 2000, () =>
      settle(new SessionError("busy", "the refresh took too long")),
    );
    const mine: Flight = { promise, over, base, cause, eager, startedAt: clock.now(), writing: false, settle };
    flight = mine;
    debug("refresh-wanted", { cause, version: base.version });
    fly(mine).then(settle, (error: unknown) =>
      settle(new SessionError("storage", "the refresh could not be carried out", { cause: error })),
    );
    return promise;
  }

  async function fly(own: Flight): Promise<Refreshed | SessionError> {
    const { signal } = own.over;
    const end = environment.monotonic() + refreshTimeout + 1500;
    let why = new SessionError("busy", "another tab is refreshing and has not finished");
    for (;;) {
      const asked = environment.monotonic();
      if (signal.aborted || asked >= end) return why;
      const turn = await lock.hold(() => takeTurn(own), Math.min(end - asked, PATIENCE), signal, marks.stuck());
      parts.unlocked();
      if (turn === undefined) {
        if (lock.away) {
          await pause(LOOK_AGAIN);
        } else {
          marks.refused(asked);
          // What the holder wrote may have come without a message.
          await ledger.update(() => undefined);
        }
      } else if (typeof turn === "object" && "wait" in turn) {
        if (turn.why) why = turn.why;
        await pause(Math.min(turn.wait, LOOK_AGAIN, end - environment.monotonic()));
      } else {
        return turn;
      }
    }
  }

  async function takeTurn(own: Flight): Promise<Turn> {
    marks.granted();
    let ruling: Ruling = "gone";
    let wait = 0;
    let started = 0;
    let marked: LedgerRecord | undefined;
    const found = await ledger.update((record) => {
      const now = clock.now();
      marked = undefined;
      ruling = own.over.signal.aborted ? "gone" : judge(record, own, now);
      wait = record && ruling === "go" ? marks.standing(record) : 0;
      if (!record || ruling !== "go" || wait > 0) return undefined;
      started = environment.monotonic();
      marked = {
        ...record,
        fence: record.fence + 1,
        refreshing: { tab, since: now, timeout: refreshTimeout },
        lost: record.lost || record.refreshing !== undefined,
      };
      return marked;
    }, true);
    if (marked && own.over.signal.aborted) {
      const unused = marked;
      await ledger.update((record) => (mine(record, unused) ? { ...record, refreshing: undefined } : undefined), true);
      return { wait: 0 };
    }
    if (marked) return ledger.shared || !environment.openChannel ? attempt(own, marked, started) : contend(own, marked, started);
    if (wait > 0) return { wait };
    return explain(own, ruling, found);
  }

  /** No ledger that orders the tabs: says what it is about to do, and does it only if nobody objects. Best effort; R3 heals the rest. */
  async function contend(own: Flight, marked: LedgerRecord, started: number): Promise<Turn> {
    parts.announce();
    parts.ask(marked.version + 1);
    for (const end = environment.monotonic() + OBJECTION; environment.monotonic() < end; ) await pause(end - environment.monotonic());
    const now = ledger.current;
    if (own.over.signal.aborted || !now || !sameVersion(now, marked) || now.refreshing?.tab !== tab) return { wait: 0 };
    return attempt(own, marked, started);
  }

  function explain(own: Flight, ruling: Ruling, record: LedgerRecord | undefined): Turn {
    debug("refresh-ruled-out", { cause: own.cause, ruling });
    switch (ruling) {
      case "adopted":
        return "adopted";
      case "elsewhere":
        if (record) parts.ask(record.version > own.base.version || !record.tokens ? record.version : record.version + 1);
        return { wait: LOOK_AGAIN, why: new SessionError("not-renewable", "the tab that holds the refresh token does not answer") };
      case "young":
        if (own.cause === "expired") return { wait: refreshFloor(undefined) };
        return new SessionError("busy", "the token has only just been refreshed");
      case "backoff": {
        const failure = record?.failure;
        return new SessionError(failure?.code ?? "server", "the last refresh failed, and the next attempt is not due yet", {
          status: failure?.status,
          attempt: failure?.attempt,
          retryAfter: failure?.retryAt ? Math.max(0, failure.retryAt - clock.now()) : undefined,
        });
      }
      case "final":
        return new SessionError("not-renewable", "there is no refresh token");
      default:
        return record?.signedIn && record.tokens ? "adopted" : new SessionError("signed-out", "the session ended meanwhile");
    }
  }

  async function attempt(own: Flight, marked: LedgerRecord, started: number): Promise<Turn> {
    const number = (marked.failure?.attempt ?? 0) + 1;
    debug("refresh-started", { cause: own.cause, attempt: number, version: marked.version });
    const tokens = marked.tokens ?? { accessToken: "" };
    const { answer, expired, stop } = attemptRefresh(environment, strategy.refresh, tokens, own.cause, number, started, refreshTimeout);
    const quit = () => {
      attempts.delete(quit);
      stop();
    };
    attempts.add(quit);
    const finished = answer.then(
      (fresh) => commit(own, marked, fresh, environment.monotonic() - started),
      (error: SessionError) => fail(own, marked, error),
    );
    const gaveUp = new Promise<Turn>((resolve) => {
      own.over.signal.addEventListener("abort", () => resolve({ wait: 0 }));
    });
    finished.finally(() => {
      quit();
      // It came after everybody had stopped waiting, and so without the lock.
      if (own.over.signal.aborted) parts.unlocked();
    });
    return Promise.race([finished, expired.then((error) => fail(own, marked, error)), gaveUp]);
  }

  /** Whether the mark is still the one this attempt set: nobody has ended the session, committed, or passed this tab over. */
  const mine = (record: LedgerRecord | undefined, marked: LedgerRecord): record is LedgerRecord =>
    record?.signedIn === true && sameVersion(record, marked) && record.fence === marked.fence;

  async function commit(own: Flight, marked: LedgerRecord, tokens: TokenSet, age: number): Promise<Turn> {
    let accepted = false;
    const { readClaims } = options;
    // Another user's answer is never merged into this session (R44).
    const stranger = differentParty(claimsOf(marked.tokens, readClaims), claimsOf(tokens, readClaims));
    own.writing = true;
    const record = await ledger.update((known) => {
      accepted = mine(known, marked);
      if (!accepted) return undefined;
      if (stranger) return ended(known, clock.now(), environment.random(), "subject-changed");
      return issue(known, tokens, false, options, { now: clock.now(), age, random: environment.random, complain: parts.complain });
    }, true);
    own.writing = false;
    debug(accepted ? "refresh-committed" : "refresh-discarded", { version: record?.version });
    if (accepted) parts.announce();
    if (!accepted || stranger) {
      if (record?.epoch !== marked.epoch) parts.discarded(tokens);
      return record?.signedIn && record.tokens && record.version > marked.version
        ? "adopted"
        : new SessionError("signed-out", "the session ended during the refresh");
    }
    return "refreshed";
  }

  async function fail(own: Flight, marked: LedgerRecord, error: SessionError): Promise<Turn> {
    const rejected = error.code === "rejected";
    if (rejected && !ledger.shared && environment.openChannel) {
      // Without a shared ledger another tab may have been first (R3): it has a moment to say so.
      parts.ask(marked.version + 1);
      await pause(OBJECTION);
    }
    let accepted = false;
    let retryAt: number | null = null;
    const attempt = error.attempt ?? 1;
    own.writing = true;
    const record = await ledger.update((known) => {
      accepted = mine(known, marked) && known.refreshing !== undefined;
      if (!accepted || !known) return undefined;
      const now = clock.now();
      const validity = known.expiresAt === null ? undefined : known.expiresAt - now;
      const cleared = { ...known, refreshing: undefined, lost: known.lost || error.lost };
      const failure = { code: error.code, status: error.status, attempt, at: now, retryAt: null, throttled: false };
      if (rejected) {
        if (own.cause !== "due" || (validity ?? 1) <= 0) return ended(known, now, environment.random(), "rejected", known.lost);
        const tokens = known.tokens && { ...known.tokens, refreshToken: undefined };
        return { ...cleared, final: true, hasRefreshToken: false, dueAt: null, tokens, failure };
      }
      const { lost, retryAfter } = error;
      if (error.code === "configuration") return { ...cleared, failure };
      retryAt = now + retryDelay({ attempt, validity, lifetime: lifetimeIn(known), lost, retryAfter }, environment.random);
      return { ...cleared, failure: { ...failure, retryAt, throttled: retryAfter !== undefined } };
    }, true);
    own.writing = false;
    debug("refresh-failed", { code: error.code, status: error.status, attempt, lost: error.lost });
    if (accepted) {
      parts.announce();
      parts.failed(error, attempt, retryAt);
      return error;
    }
    return record?.signedIn && record.tokens && record.version > marked.version ? "adopted" : error;
  }

  return {
    refresh,
    seen(record) {
      marks.progress(record);
      wake();
      if (!flight || flight.writing) return;
      const { base, settle } = flight;
      if (!record.signedIn) settle(new SessionError("signed-out", "the session ended meanwhile"));
      else if (record.tokens && (record.epoch !== base.epoch || record.version > base.version)) settle("adopted");
    },
    stop(error) {
      flight?.settle(error);
      for (const stop of attempts) stop();
    },
  };
}
