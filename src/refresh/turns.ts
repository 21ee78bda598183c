import { SessionError } from "../errors.js";
import { sameCommit } from "../ledger/order.js";
import type { LedgerRecord } from "../ledger/record.js";
import { markPreempted, releaseLease, type Transition, takeLease } from "../ledger/transitions/index.js";
import type { SessionContext } from "../session/context.js";
import type { Answers } from "./answer.js";
import { type Decision, decide, WORTH_WAITING_MS } from "./decision.js";
import { type Flight, noSession, type Refreshed, ruledOut, type Turn } from "./flight.js";
import { createLeaseWatch } from "./lease.js";
import { objections } from "./objections.js";

/** Takes turns with the other tabs: the lock queues them, and a lease in the ledger lets one of them refresh. */
export interface Turns {
  /** Takes turns until one of the tabs has the result, or the time of the flight is up. */
  take(flight: Flight): Promise<Refreshed | SessionError>;
  /** Ends the pause between two turns. */
  wake(): void;
  /** Notes that a tab wrote the ledger. */
  sawProgress(record: LedgerRecord): void;
}

/** The lease, with its begin on the monotonic clock. Otherwise, the action of this tab instead. */
type Claim = Exclude<Decision, "refresh"> | { readonly lease: LedgerRecord; readonly since: number };

/** The longest request for the lock, after which this tab asks again. Chromium starves a request that waits for a page in the back/forward cache. */
const LOCK_WAIT_MS = 5000;
/** The first request is shorter: no message announces the holder's lease, and its time counts only after this tab has read the ledger. */
const FIRST_LOCK_WAIT_MS = 500;
/**
 * This tab waits longer than the deadline of a holder, by twice this time. It did not see the lease at once, and the timers of hidden pages are
 * late. With a short deadline the time is less, so that the callers get the reason before the limit of the refresh.
 */
const WAIT_SLACK_MS = 1500;
/** The longest wait for storage: a second more than `HANG_MS` in `ledger/watched-store.ts`, so that a new connection can still answer. */
const STORAGE_WAIT_MS = 6000;
/** The longest pause between two turns, since the message that would end the pause may be lost. */
const LONGEST_PAUSE_MS = 1000;

export function createTurns(context: SessionContext, answers: Answers): Turns {
  const { refreshTimeout } = context.settings;
  const { lock } = context.tabs;
  const leaseWatch = createLeaseWatch(context);
  let wake = (): void => {};
  /** Counts the refreshes in a row for which storage did not answer. */
  let silences = 0;

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = context.environment.setTimeout(resolve, milliseconds);
      wake = () => {
        context.environment.clearTimeout(timer);
        resolve();
      };
    });
  }

  const answered = <T>(promise: Promise<T>): Promise<T | undefined> => context.waits.whileAwake(STORAGE_WAIT_MS, promise);

  /** The session does not renew from memory, since another tab may send the same refresh token (R88). */
  function storageHangs({ base }: Flight): SessionError {
    const attempt = (base.failure?.attempt ?? 0) + ++silences;
    const error = new SessionError("storage", "storage does not answer", { attempt });
    // The scheduler tries again every few seconds, which costs the server nothing. The app hears of it once.
    if (silences === 1) context.report.emit("refresh-failed", { error, attempt, retryAt: context.environment.now() + STORAGE_WAIT_MS });
    return error;
  }

  async function take(flight: Flight): Promise<Refreshed | SessionError> {
    const end = context.environment.monotonic() + refreshTimeout + Math.min(refreshTimeout, WAIT_SLACK_MS) + WAIT_SLACK_MS;
    let lockWait = FIRST_LOCK_WAIT_MS;
    for (;;) {
      const asked = context.environment.monotonic();
      // With one millisecond left, a refused lock looks the same as a lock without any wait.
      if (flight.over.aborted || asked >= end - 1) return flight.giveUp;
      const steal = leaseWatch.isStuck();
      const limit = Math.min(end - asked, steal ? LOCK_WAIT_MS : lockWait);
      const granted = () => {
        leaseWatch.waited(limit, asked, false);
        return takeTurn(flight, steal);
      };
      const turn = await lock.hold(granted, limit, flight.over, steal);
      context.report.flush();
      if (flight.over.aborted) return flight.giveUp;
      const now = context.environment.monotonic();
      if (typeof turn === "number") {
        const wait = Math.max(0, Math.min(turn, LONGEST_PAUSE_MS, end - now));
        await pause(wait);
        leaseWatch.waited(wait, now, false);
      } else if (turn) {
        return turn;
      } else if (now - asked < limit - 1) {
        // The lock was not even waited for: the page is away, or its frame was taken out of it.
        await pause(LONGEST_PAUSE_MS);
      } else {
        leaseWatch.waited(limit, asked, true);
        lockWait = LOCK_WAIT_MS;
        // The holder's message may be lost, so this tab reads the ledger.
        if (!(await answered(context.ledger.read().then(() => true)))) return storageHangs(flight);
      }
    }
  }

  /** Reads the ledger again under the lock (R2), and takes the lease in the same transaction if this tab may refresh. */
  async function takeTurn(flight: Flight, stolen: boolean): Promise<Turn> {
    const { departures } = lock;
    const applied = await answered(context.ledger.apply(claim(flight, stolen)));
    if (!applied) return storageHangs(flight);
    silences = 0;
    const { outcome } = applied;
    if (typeof outcome !== "object" || !("lease" in outcome)) return flight.over.aborted ? 0 : follow(flight, outcome);
    const { lease, since } = outcome;
    // Without a shared ledger, this tab announces its lease, and sends only if no other tab objects. Two tabs may still send: see R3.
    if (!context.ledger.shared) context.tabs.announce();
    await objections(context, lease, flight.over);
    const allowed = sameCommit(context.ledger.current, lease) && context.ledger.current?.refreshing?.tab === context.tab;
    // A page that was suspended, or came back from the back/forward cache, sends nothing and takes another turn. With little time left, a
    // rotated token could come after the deadline.
    const inTime = context.environment.monotonic() - since < refreshTimeout / 2 && lock.departures === departures;
    if (allowed && inTime && !flight.over.aborted) return answers.run(flight, lease, since);
    await answered(context.ledger.apply(releaseLease(lease)));
    return 0;
  }

  /** Takes the lease, or returns the action of this tab instead. */
  const claim =
    (flight: Flight, stolen: boolean): Transition<Claim> =>
    (known, moment) => {
      const decision = flight.over.aborted || !known ? "gone" : decide(known, flight, moment.now);
      if (!known || decision !== "refresh") return { outcome: decision as Claim };
      // A login has replaced the session whose answer is late.
      const outcome = flight.begins && known.refreshing?.late ? 0 : leaseWatch.remaining(known, stolen);
      // The late request may be one for another audience. Then the record shows no failure for these callers, and they do not wait either.
      const { demanded, begins, ignoresBackoff, giveUp } = flight;
      if (outcome > WORTH_WAITING_MS && known.refreshing?.late && demanded && !begins && !ignoresBackoff) return { outcome: giveUp };
      if (outcome > 0) return { next: stolen ? markPreempted(known) : undefined, outcome };
      const lease = takeLease(known, refreshTimeout, moment);
      // The lease begins before any other tab can see it. The other tabs count from the time when they see it.
      return { next: lease, outcome: { lease, since: moment.monotonic } };
    };

  function follow(flight: Flight, decision: Exclude<Claim, { lease: LedgerRecord }>): Turn {
    if (decision === "gone") return noSession();
    if (decision === "young" || decision === "paced") return ruledOut(context, flight.cause, decision);
    if (typeof decision !== "object" || !("askOwner" in decision)) return decision;
    context.tabs.ask(decision.askOwner);
    flight.giveUp = new SessionError("not-renewable", "the tab with the refresh token does not answer");
    return LONGEST_PAUSE_MS;
  }

  return { take, wake: () => wake(), sawProgress: leaseWatch.sawProgress };
}
