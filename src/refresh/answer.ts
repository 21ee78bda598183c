import type { SessionError } from "../errors.js";
import { isFinal, ODD } from "../ledger/backoff.js";
import { isRenewed } from "../ledger/order.js";
import { errorBehind, type LedgerRecord, type LedgerTokens } from "../ledger/record.js";
import { abandonLease, commit, fail, type Holder, keepLease, prolongLease, type Transition } from "../ledger/transitions/index.js";
import { aborted } from "../platform/timers.js";
import type { SessionContext } from "../session/context.js";
import type { TokenSet } from "../types/index.js";
import { attemptRefresh } from "./attempt.js";
import { type Flight, noSession, type Turn } from "./flight.js";
import { objections } from "./objections.js";
import { revoke } from "./revoke.js";

/** The longest time that storage may take for a result. Then the tab goes on in memory. */
const STORAGE_WAIT_MS = 3000;

/** Sends the request that a lease allows, and writes its answer to the ledger. */
export interface Answers {
  /** Sends the request of the lease, and writes its answer, also a late one. `started`: the monotonic time of the lease. */
  run(flight: Flight, lease: LedgerRecord, started: number): Promise<Turn>;
  /** Clears the timers. A request under way goes on, since its answer may have a rotated token. */
  stop(): void;
}

export function createAnswers(context: SessionContext): Answers {
  const underWay = new Set<() => void>();

  function run(flight: Flight, lease: LedgerRecord, started: number): Promise<Turn> {
    const { answer, rescued, late, signal, remaining, stop } = attemptRefresh(context, flight, lease, started);
    const holder: Holder = { lease, begins: flight.begins };

    /** Writes a result, if its attempt may still write one. `turn`: what another tab's commit means to the callers, if there is one. */
    async function write(transition: Transition<LedgerRecord | undefined>, onOutcome?: (written?: LedgerRecord) => void) {
      flight.writing = true;
      const { outcome: written, record } = await context.ledger.apply(transition, {
        onOutcome,
        // Storage that hangs must not keep a rotated token from its tab.
        ...(!context.waits.disposed && { within: STORAGE_WAIT_MS }),
      });
      flight.writing = false;
      if (written) context.tabs.announce();
      const adopted = !written && record?.signedIn && record.tokens && isRenewed(record, lease);
      return { written, record, turn: adopted ? ("adopted" as const) : undefined };
    }

    async function succeed(tokens: TokenSet): Promise<Turn> {
      const age = context.environment.monotonic() - started;
      const { written, record, turn } = await write(commit(holder, { tokens, age, refused: flight.refused }, context.settings));
      context.report.debug(written ? "refresh-committed" : "refresh-discarded", { version: record?.version });
      if (written?.signedIn) return "refreshed";
      // With a cookie, a revocation sends nothing but the cookie, which may be a newer session's. It is sent only if the tokens carry a
      // credential of their own, or no user is signed in.
      const own = tokens.refreshToken ?? context.settings.strategy.needsValidToken;
      if (record?.epoch !== lease.epoch && (own || !record?.signedIn)) revoke(context, tokens);
      return turn ?? noSession();
    }

    /** `rest`: the milliseconds for which the session still waits for the answer. */
    async function failWith(error: SessionError, { refreshToken, binding }: LedgerTokens = {}, rest = 0): Promise<Turn> {
      const { code, status, lost, message } = error;
      const attempt = error.attempt!;
      // Without a shared ledger another tab may have been first (R3).
      if (isFinal(code)) await objections(context, lease);
      // The access token is still good when only the worker of `vault` is gone, unless the API has refused it.
      const demanded = flight.demanded && !(code === "credential-lost" && flight.cause === "requested");
      const failed = { error, attempt, demanded, refreshToken, binding };
      const transition = rest > 0 ? prolongLease(holder, failed, rest) : fail(holder, failed);
      const { written, record, turn } = await write(transition, (next) => {
        if (next?.failure) errorBehind.set(next.failure, error);
      });
      if (written) {
        context.report.debug("refresh-failed", { code, status, attempt, lost });
        // A redirect: the developer has to give another address.
        if (code === "server" && status! < 400) context.report.warnOnce(message);
        const failure = record?.signedIn && record.failure;
        if (failure) {
          context.report.emit("refresh-failed", { error, attempt, retryAt: context.clock.toDevice(failure.retryAt) });
          if (failure.odd === ODD) context.report.warnOnce("answer: ten answers were neither tokens nor a refusal");
        }
      }
      if (refreshToken && record?.epoch !== lease.epoch) revoke(context, { refreshToken });
      if (!written && lease.signedIn && !record?.signedIn) return noSession();
      return turn ?? error;
    }

    async function abandon(): Promise<void> {
      await context.ledger.apply(abandonLease(lease));
      context.tabs.announce();
    }

    /** The app disposes of the session, and the request goes on. */
    function leave(): void {
      stop();
      const rest = remaining();
      if (rest > 0) void context.ledger.apply(keepLease(lease, rest));
    }

    underWay.add(leave);
    const finished = answer
      .then(succeed, (error: SessionError) => failWith(error, rescued))
      .finally(() => {
        underWay.delete(leave);
        // The answer came after all callers had stopped waiting, so this tab no longer holds the lock.
        if (flight.over.aborted) context.report.flush();
      });
    const overdue = late.then((error) => failWith(error, undefined, remaining()));
    void aborted(signal).then(abandon);
    const abandoned = aborted(flight.over).then(() => 0);
    return Promise.race([finished, overdue, abandoned]);
  }

  return {
    run,
    stop() {
      for (const leave of underWay) leave();
    },
  };
}
