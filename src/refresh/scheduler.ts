import { lifetimeIn, type Plan, planNext, quietFor } from "../ledger/facts.js";
import type { LedgerRecord } from "../ledger/record.js";
import type { Follower, SessionContext } from "../session/context.js";
import { refreshFloor } from "../token/lifetime.js";

export interface Scheduler extends Follower {
  /** Reads the clock now, since the clock may have jumped or the device may have slept. */
  check(): void;
  /** The monotonic time from which the timer is late: the page stood still, perhaps without a signal, or its timers are throttled. */
  readonly lateAt: number;
  stop(): void;
}

/**
 * A timer counts neither the device's sleep nor a change of the wall clock, and a page signal may be missing. So the scheduler reads the clock
 * about sixty times in the lifetime of a token, at most once a minute. See docs/decisions/0003-one-clock-for-all-tabs.md.
 */
const CHECKS = 60;
const SHORTEST_CHECK_MS = 60_000;
/** `setTimeout` takes 2³¹−1 ms at most (keycloak/keycloak-js#107). */
const LONGEST_TIMER_MS = 0x7fff_ffff;
/** The scheduler does not repeat an action for this time, since the action may still be under way. */
const POSTPONED_MS = 5000;
/** A timer that is later than this is late. */
const LATE_MS = 5000;

export function createScheduler(context: SessionContext, renews: () => boolean, act: (action: Plan["action"]) => void): Scheduler {
  let timer: unknown;
  let lateAt = Infinity;
  let record: LedgerRecord | undefined;
  let notBefore = 0;

  function check(): void {
    context.environment.clearTimeout(timer);
    lateAt = Infinity;
    // A tab that opens meanwhile would find an older record in storage.
    if (!context.ledger.shared) context.ledger.reconnect();
    const now = context.clock.now();
    const plan = record && planNext(record, context.limits.endsAt(record), renews(), quietFor(record, now) && record.quietUntil);
    if (!plan || !record) return;
    const life = lifetimeIn(record);
    const wait = Math.max(plan.at, notBefore) - now;
    if (wait > 0) {
      const longest = Math.max(SHORTEST_CHECK_MS, (life ?? 0) / CHECKS);
      const delay = Math.ceil(Math.min(wait, longest, LONGEST_TIMER_MS));
      lateAt = context.environment.monotonic() + delay + LATE_MS;
      timer = context.environment.setTimeout(check, delay);
      return;
    }
    // A wake-up does not begin an action again that is under way.
    notBefore = now + Math.min(POSTPONED_MS, Math.max(refreshFloor(life), 50));
    check();
    act(plan.action);
  }

  /** Plans anew for the record. There is only one timer. */
  function arm(next: LedgerRecord | undefined): void {
    record = next;
    notBefore = 0;
    check();
  }

  return {
    check,
    get lateAt() {
      return lateAt;
    },
    changed: ({ record: next }) => arm(next),
    stop: () => arm(undefined),
  };
}
