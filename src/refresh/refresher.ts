import { SessionError } from "../errors.js";
import { type LedgerRecord, sameCommit } from "../ledger/record.js";
import { refreshFloor } from "../token/lifetime.js";
import type { RefreshCause } from "../types.js";
import { deadline } from "./deadline.js";
import { createMarks } from "./marks.js";
import { type Flight, OBJECTION, type Refreshed, type RefresherParts, type Turn } from "./parts.js";
import { demandedAt, isCalledOff, isExpired, isRenewed, judge, type Ruling } from "./ruling.js";
import { createTransaction, mayWrite } from "./transaction.js";

export interface Refresher {
  /** Renews, or adopts what another tab got. One at a time: who asks meanwhile shares the outcome. Settles within 2 × `refreshTimeout` + 2 s. */
  refresh(cause: RefreshCause, eager?: boolean): Promise<Refreshed>;
  /** The same where there may be no session yet: what comes begins one. Waits for a refresh that is under way, and joins another sign-in. */
  begin(): Promise<Refreshed>;
  /** Whether a refresh of this tab is under way: who asks for one joins it. */
  readonly flying: boolean;
  /** Whether this tab has the lock: nothing of the app's may run now. */
  readonly holding: boolean;
  /** The ledger changed. */
  seen(record: LedgerRecord): void;
  /** Rejects whoever waits and leaves no timer. */
  stop(error: SessionError): void;
}

/** A lock that is not granted is asked for again after this long: Chromium starves whoever waits for a page in its back/forward cache. */
const PATIENCE = 5000;
/** The first time sooner: what its holder has marked, which no message tells of, counts from when it was seen. */
const GLANCE = 500;
/**
 * Twice this longer than the deadline of a holder that is gone do others wait: its mark was not seen at once, and timers of hidden pages are
 * late. With a short deadline it is less, so that why they got nothing is known before the refresh reaches its limit.
 */
const TAIL = 1500;
/** How long a call waits for the next attempt after one that failed. */
const SOON = 2000;
/** Waits are cut into pieces of this length, since the message that would end them may be lost. */
const LOOK_AGAIN = 1000;

/** Single flight: in the tab by a shared promise, across tabs by the lock, and by the mark in the ledger that only one of them can set. */
export function createRefresher(parts: RefresherParts): Refresher {
  const { environment, clock, ledger, lock, tab, options, debug } = parts;
  const { refreshTimeout } = options;
  const marks = createMarks(environment, clock, lock, tab, options);
  const transaction = createTransaction(parts);
  let flight: Flight | undefined;
  let wake = (): void => {};
  let holding = false;
  let stopped: SessionError | undefined;

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
      if (cause !== "due" && !["requested", "sign-in"].includes(flight.cause)) flight.cause = cause;
      flight.eager ||= eager;
      return flight.promise;
    }
    if (stopped) return Promise.reject(stopped);
    const base = ledger.current;
    if (!base?.signedIn && (cause !== "sign-in" || !base))
      return Promise.reject(new SessionError("signed-out", "there is no session to refresh"));
    flight = takeOff(base, cause, eager);
    const { promise, settle } = flight;
    debug("refresh-wanted", { cause, version: base.version });
    fly(flight)
      .then(settle, (error: unknown) => settle(new SessionError("storage", "the refresh failed", { cause: error })))
      .then(parts.unlocked);
    return promise;
  }

  function takeOff(base: LedgerRecord, cause: RefreshCause, eager: boolean): Flight {
    const controller = new AbortController();
    const over = controller.signal;
    let settle!: Flight["settle"];
    const promise = new Promise<Refreshed>((resolve, reject) => {
      settle = (outcome) => {
        if (over.aborted) return;
        controller.abort();
        debug("refresh-settled", { outcome: typeof outcome === "string" ? outcome : outcome.code });
        stopLimit();
        if (flight?.over === over) flight = undefined;
        wake();
        typeof outcome === "string" ? resolve(outcome) : reject(outcome);
      };
    });
    // The scheduler's own refreshes have nobody who waits for them.
    promise.catch(() => {});
    // Whatever hangs (storage, locks), who waits does not.
    const stopLimit = deadline(environment, environment.monotonic() + 2 * refreshTimeout + 2000, () =>
      settle(new SessionError("busy", "the refresh took too long")),
    );
    return { promise, over, base, cause, eager, startedAt: clock.now(), writing: false, settle };
  }

  /** Takes turns with the other tabs until one of them has the result, or the time for waiting is up. */
  async function fly(own: Flight): Promise<Refreshed | SessionError> {
    const end = environment.monotonic() + refreshTimeout + Math.min(refreshTimeout, TAIL) + TAIL;
    let patience = GLANCE;
    let why = new SessionError("busy", "another tab is still refreshing");
    for (;;) {
      const asked = environment.monotonic();
      // With a millisecond left, a lock that was not even waited for could not be told from one that was not granted.
      if (own.over.aborted || asked >= end - 1) return why;
      const steal = marks.isStuck();
      const limit = Math.min(end - asked, steal ? PATIENCE : patience);
      const waited = () => environment.monotonic() - asked;
      const granted = () => {
        marks.watched(limit, waited(), false);
        return takeTurn(own, steal);
      };
      const turn = await lock.hold(granted, limit, own.over, steal);
      holding = false;
      parts.unlocked();
      if (own.over.aborted) return why;
      if (turn === undefined && waited() < limit - 1) {
        // Not even waited for: the page is away, or its frame was taken out of it.
        await pause(LOOK_AGAIN);
      } else if (turn === undefined) {
        marks.watched(limit, waited(), true);
        patience = PATIENCE;
        // What the holder wrote may have come without a message.
        await ledger.look();
      } else if (typeof turn === "object" && "wait" in turn) {
        why = turn.why ?? why;
        const now = environment.monotonic();
        const wait = Math.max(0, Math.min(turn.wait, LOOK_AGAIN, end - now));
        await pause(wait);
        marks.watched(wait, environment.monotonic() - now, false);
      } else {
        return turn;
      }
    }
  }

  /** With the lock: reads the ledger again (R2), and marks it in the same transaction if this tab may refresh. */
  async function takeTurn(own: Flight, stolen: boolean): Promise<Turn> {
    holding = true;
    const { departures } = lock;
    let ruling: Ruling = "gone";
    let wait = 0;
    let started = 0;
    let marked: LedgerRecord | undefined;
    const found = await ledger.update((record) => {
      const now = clock.now();
      marked = undefined;
      ruling = own.over.aborted ? "gone" : judge(record, own, now);
      wait = 0;
      if (!record || ruling !== "go") return undefined;
      wait = marks.standing(record, stolen);
      // Whoever has the lock next would take its holder, who has no lock any more, for one that is gone.
      if (wait > 0) return stolen && record.refreshing ? { ...record, refreshing: { ...record.refreshing, robbed: true } } : undefined;
      // Before anybody else can see the mark: the others count from when they saw it.
      started = environment.monotonic();
      // A mark that ran out has a request behind it whose answer nobody will ever see.
      const lost = record.lost || record.refreshing !== undefined;
      marked = { ...record, fence: record.fence + 1, refreshing: { tab, since: now, timeout: refreshTimeout }, lost };
      return marked;
    }, true);
    if (wait > 0 || (own.over.aborted && !marked)) return { wait };
    if (!marked) return explain(own, ruling, found);
    const allowed = ledger.shared || !environment.openChannel || (await uncontested(own, marked));
    // Suspended since, or in the back/forward cache and back: nothing was sent, so nothing has failed. An answer needs time, too: with
    // little of it left, a rotated token would come after the deadline.
    const inTime = environment.monotonic() - started < refreshTimeout / 2 && lock.departures === departures;
    if (allowed && inTime && !own.over.aborted) return transaction.run(own, marked, started);
    const unused = marked;
    await ledger.update((record) => (mayWrite(record, unused) ? { ...record, refreshing: undefined } : undefined), true);
    return { wait: 0 };
  }

  /** No ledger that orders the tabs: says what it is about to do, and does it only if nobody objects. Best effort; R3 heals the rest. */
  async function uncontested(own: Flight, marked: LedgerRecord): Promise<boolean> {
    parts.announce();
    parts.ask(marked.version + 1);
    const end = environment.monotonic() + OBJECTION;
    while (!own.over.aborted && environment.monotonic() < end) await pause(end - environment.monotonic());
    return sameCommit(ledger.current, marked) && ledger.current?.refreshing?.tab === tab;
  }

  /** Why this tab may not refresh now. */
  function explain(own: Flight, ruling: Ruling, record: LedgerRecord | undefined): Turn {
    debug("refresh-ruled-out", { cause: own.cause, ruling });
    if (record?.signedIn && ruling === "elsewhere") {
      parts.ask(isRenewed(record, own.base) || !record.tokens ? record.version : record.version + 1);
      return { wait: LOOK_AGAIN, why: new SessionError("not-renewable", "the tab that holds the refresh token does not answer") };
    }
    if (ruling === "young" && own.cause === "expired") return { wait: refreshFloor(undefined) };
    if (ruling === "young") return new SessionError("busy", "the token was only just refreshed");
    if (ruling === "final") return new SessionError("not-renewable", "there is no refresh token");
    if (ruling === "backoff" && record?.failure) {
      const { code, status, attempt, at, retryAt, throttled } = record.failure;
      // A call that came after the failure waits for the next attempt if that is near: better late than with a token that has died.
      const soon = demandedAt(record) - clock.now();
      if (own.cause !== "due" && at <= own.startedAt && retryAt !== null && !throttled && soon <= SOON) return { wait: soon };
      const retryAfter = retryAt === null ? undefined : Math.max(0, retryAt - clock.now());
      return new SessionError(code, "the last refresh failed, and the next attempt is not due yet", { status, attempt, retryAfter });
    }
    return record?.signedIn && record.tokens ? "adopted" : new SessionError("signed-out", "the session ended meanwhile");
  }

  return {
    refresh,
    async begin() {
      while (flight && flight.cause !== "sign-in") await flight.promise.catch(() => {});
      return refresh("sign-in");
    },
    get flying() {
      return flight !== undefined;
    },
    get holding() {
      return holding;
    },
    seen(record) {
      marks.progress(record);
      wake();
      if (!flight || flight.writing) return;
      const { base, cause, settle } = flight;
      if (cause === "sign-in" && (record.signedIn ? record.epoch === base.epoch : !isCalledOff(record, base))) return;
      if (!record.signedIn) settle(new SessionError("signed-out", "the session ended meanwhile"));
      else if (!record.tokens || isExpired(record, clock.now())) return;
      else if (record.epoch !== base.epoch || isRenewed(record, base)) settle("adopted");
    },
    stop(error) {
      stopped = error;
      flight?.settle(error);
      transaction.stop();
    },
  };
}
