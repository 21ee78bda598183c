import { SessionError } from "../errors.js";
import { isExpired, isPaced } from "../ledger/facts.js";
import type { LedgerRecord } from "../ledger/record.js";
import type { Follower, SessionContext } from "../session/context.js";
import type { RefreshCause } from "../types/index.js";
import { createAnswers } from "./answer.js";
import { decide } from "./decision.js";
import { type Flight, noSession, type Refreshed, ruledOut } from "./flight.js";
import { createTurns } from "./turns.js";

export interface Refresher extends Required<Follower> {
  /**
   * Renews, or adopts another tab's token. All callers during one refresh share its outcome. Settles within 2 × `refreshTimeout` + 2 s.
   * `networkIsBack`: the pause after a failure is over. In a prerendered page, it renews after the activation (R57).
   */
  refresh(cause: RefreshCause, networkIsBack?: boolean): Promise<Refreshed>;
  /** The refresh of this tab that is under way, which a caller would join. */
  readonly flight: Flight | undefined;
}

/** Makes one refresh at a time: callers in a tab share a promise, and tabs share the lock and the lease, which only one tab can take. */
export function createRefresher(context: SessionContext): Refresher {
  const answers = createAnswers(context);
  const turns = createTurns(context, answers);
  let flight: Flight | undefined;
  let stopped: SessionError | undefined;

  function refresh(cause: RefreshCause, networkIsBack = false): Promise<Refreshed> {
    if (flight) {
      join(flight, cause, networkIsBack);
      return flight.promise;
    }
    if (stopped) return Promise.reject(stopped);
    const base = context.ledger.current;
    if (!base || !(base.signedIn || cause === "sign-in")) return Promise.reject(noSession());
    if (cause === "unauthorized" && isPaced(base, context.clock.now())) return Promise.reject(ruledOut(context, cause, "paced"));
    const own = startFlight(base, cause, networkIsBack);
    flight = own;
    context.report.debug("refresh-wanted", { cause, version: base.version });
    context.waits.whenActive(() => {
      if (own.over.aborted || context.waits.disposed) return;
      own.startedAt = context.clock.now();
      turns
        .take(own)
        .then(own.settle, (error: unknown) => own.settle(new SessionError("storage", "the refresh failed", { cause: error })))
        .then(() => context.report.flush());
    });
    return own.promise;
  }

  /** Joins a refresh under way. A caller makes a scheduled refresh a demanded one: the scheduler's pause ends, and a refusal ends the session. */
  function join(joined: Flight, cause: RefreshCause, networkIsBack: boolean): void {
    joined.ignoresBackoff ||= networkIsBack;
    if (cause === "due") return;
    joined.demanded = true;
    if (joined.begins || joined.cause === "requested") return;
    joined.refused ||= cause === "unauthorized";
    joined.cause = cause;
  }

  function startFlight(base: LedgerRecord, cause: RefreshCause, networkIsBack: boolean): Flight {
    const controller = new AbortController();
    const over = controller.signal;
    let settle!: Flight["settle"];
    const promise = new Promise<Refreshed>((resolve, reject) => {
      settle = (outcome) => {
        if (over.aborted) return;
        controller.abort();
        context.report.debug("refresh-settled", { outcome: typeof outcome === "string" ? outcome : outcome.code });
        flight = undefined;
        turns.wake();
        typeof outcome === "string" ? resolve(outcome) : reject(outcome);
      };
    });
    // The callers get an outcome even if storage or the lock hangs. The scheduler's own refreshes have no caller that handles a rejection.
    context.waits
      .within(2 * context.settings.refreshTimeout + 2000, promise)
      .catch(() => {})
      .then(() => settle(new SessionError("busy", "the refresh took too long")));
    return {
      promise,
      over,
      base,
      cause,
      begins: cause === "sign-in",
      demanded: cause !== "due",
      refused: cause === "unauthorized",
      ignoresBackoff: cause === "requested" || networkIsBack,
      giveUp: new SessionError("busy", "a refresh is still under way"),
      startedAt: context.clock.now(),
      writing: false,
      settle,
    };
  }

  return {
    refresh,
    get flight() {
      return flight;
    },
    changed({ record }) {
      turns.sawProgress(record);
      turns.wake();
      if (!flight || flight.writing) return;
      const now = context.clock.now();
      // Missing or expired tokens of another session do not settle the flight.
      if (record.signedIn && (!record.tokens || isExpired(record, now))) return;
      const decision = decide(record, flight, now);
      if (decision === "adopted") flight.settle(decision);
      if (decision === "gone") flight.settle(noSession());
    },
    stop(error) {
      stopped = error;
      flight?.settle(error);
      answers.stop();
    },
  };
}
