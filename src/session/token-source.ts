import { assertKnown, isSessionError, SessionError } from "../errors.js";
import { isFinal } from "../ledger/backoff.js";
import { cannotRenew, canRenew, lifetimeIn } from "../ledger/facts.js";
import { isOfOtherOptions } from "../ledger/format.js";
import { end as endSession } from "../ledger/transitions/index.js";
import { abortable, keepAlive } from "../platform/timers.js";
import type { Refreshed } from "../refresh/flight.js";
import type { Refresher } from "../refresh/refresher.js";
import type { Scheduler } from "../refresh/scheduler.js";
import { suspect } from "../token/lifetime.js";
import type { GetTokenOptions, RefreshCause, SignedOutReason } from "../types/index.js";
import type { SessionContext } from "./context.js";
import type { Credential, View } from "./view.js";

/** Gives the app the present token or a new one, and ends a session that cannot get one. */
export interface TokenSource {
  /** Returns the token if it is valid for `validity` milliseconds more, as far as this tab knows. Never waits. */
  valid(validity?: number): Credential | null;
  /** The same, for a call: null while this tab has to read what it missed. */
  peek(validity?: number): Credential | null;
  getToken(options?: GetTokenOptions): Promise<string | null>;
  /** Renews at the app's request. */
  request(): Promise<Refreshed>;
  /** Renews, and ends the session when no tab can renew it any more. `networkIsBack`: the pause after a failure is over. */
  renew(cause: RefreshCause, networkIsBack?: boolean): Promise<Refreshed>;
  /** Ends the session in all tabs, unless another tab has made a commit that this tab does not know. */
  end(reason?: SignedOutReason): Promise<void>;
  /** Signs out in this tab alone, since no tab in reach can renew. Another tab may still renew, so the ledger stays as it is. */
  loseOwner(): void;
}

export interface TokenSourceParts {
  readonly view: Pick<View, "snapshot" | "credential" | "usableUntil" | "dueAt" | "isOfFormerUser" | "loseOwner">;
  readonly refresher: Refresher;
  readonly scheduler: Pick<Scheduler, "check" | "stop">;
  /** Reads what this tab may have missed. Returns undefined when this tab knows the session. */
  catchUp(): Promise<unknown> | undefined;
  /** Resolves when this tab has restored the session, and has read what it missed. Rejects when the app has disposed of it. */
  restored(): Promise<void>;
}

/** The tab that can renew counts as closed when it writes nothing for this time after its next attempt was due. */
const SILENCE_MS = 60_000;

export function createTokenSource(context: SessionContext, parts: TokenSourceParts): TokenSource {
  const { view, refresher, scheduler, catchUp, restored } = parts;

  function valid(validity = 0): Credential | null {
    context.waits.assertAlive();
    const now = context.clock.now();
    // After a late timer, or a sleep of the device, a call may come before the timer.
    if (now >= view.dueAt) scheduler.check();
    return view.credential && now + validity < view.usableUntil && !context.limits.reached(undefined, now) ? view.credential : null;
  }

  // The order matters: the scheduler's look would set a late timer anew.
  const peek = (validity?: number): Credential | null => (catchUp() ? null : valid(validity));

  async function renew(cause: RefreshCause, networkIsBack = false): Promise<Refreshed> {
    try {
      return await refresher.refresh(cause, networkIsBack);
    } catch (error) {
      const record = context.ledger.current;
      const now = context.clock.now();
      const unusable = now >= view.usableUntil || !view.credential;
      // No tab with the options of that session has renewed it in time.
      if (isOfOtherOptions(record) && now >= view.usableUntil) loseOwner();
      if ((error as SessionError).code === "not-renewable" && record?.signedIn) {
        // The tab that can renew is open as long as it writes its next attempts.
        const silent = !record.failure || now > (record.failure.retryAt ?? now) + SILENCE_MS;
        const final = cannotRenew(record, now);
        if (final && (cause === "unauthorized" ? record.failure : unusable)) void end();
        else if (!final && unusable && silent && !canRenew(record)) loseOwner();
      }
      throw error;
    }
  }

  async function end(reason?: SignedOutReason): Promise<void> {
    const known = context.ledger.current;
    // With a reason, an API ended the session, so the last failure to renew is not the cause.
    const failure = reason ? undefined : known?.failure;
    const why = reason ?? (isFinal(failure?.code) ? (failure?.code as SignedOutReason) : "expired");
    await context.limits.enforce(endSession(known, why, failure));
    context.tabs.announce();
  }

  function loseOwner(): void {
    scheduler.stop();
    view.loseOwner();
    context.report.flush();
  }

  async function getToken(given: GetTokenOptions = {}): Promise<string | null> {
    const { minValidity = 0, signal } = given;
    context.waits.assertAlive();
    assertKnown("getToken", given, { minValidity, audience: 0, signal });
    if (!(minValidity >= 0)) throw new TypeError("getToken: minValidity must be milliseconds, not below 0");
    suspect({ minValidity }, context.report.warnOnce, 100);
    signal?.throwIfAborted();
    const present = peekFor(minValidity);
    return present ? present.token : abortable(inTime(obtain(minValidity)), signal);
  }

  function peekFor(minValidity: number): Credential | null {
    const record = context.ledger.current;
    if (view.snapshot.status !== "signed-in" || !record) return null;
    // A tab of an older release does not end the session, so the end may be in the past.
    const ending = Math.max(0, context.limits.endsAt(record) - context.clock.now());
    return peek(Math.min(minValidity, (lifetimeIn(record) ?? 0) / 2, ending));
  }

  async function obtain(minValidity: number): Promise<string | null> {
    if (view.snapshot.status === "restoring" || catchUp()) await restored();
    // A user may have been active in another tab. Else this ends the session.
    if (context.limits.reached()) await context.limits.enforce();
    if (view.snapshot.status !== "signed-in") return null;
    const present = peekFor(minValidity);
    if (present) return present.token;
    try {
      await renew("expired");
    } catch (error) {
      if (!isSessionError(error) || error.code === "disposed" || view.snapshot.status === "signed-in") throw error;
    }
    return view.credential?.token ?? null;
  }

  async function request(): Promise<Refreshed> {
    context.waits.assertAlive();
    await restored();
    return renew("requested");
  }

  /** The restore, the check of a limit and the refresh have one limit together (R94). The promise itself goes on. */
  async function inTime<T>(promise: Promise<T>): Promise<T> {
    const settled = await context.waits.within(
      2 * context.settings.refreshTimeout + 5000,
      promise.then((value) => ({ value })),
    );
    if (settled) return settled.value;
    context.waits.assertAlive();
    throw new SessionError("timeout", "the session got no token in time");
  }

  return {
    valid,
    peek,
    renew,
    end,
    loseOwner,
    request: () => keepAlive(context.environment, inTime(request())),
    getToken: (options) => keepAlive(context.environment, getToken(options)),
  };
}
