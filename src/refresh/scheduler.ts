import type { LedgerRecord } from "../ledger/record.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import { refreshFloor, safetyMargin } from "../token/lifetime.js";
import { tooOldAt } from "./limits.js";
import { hasMeans, lifetimeIn } from "./ruling.js";

/** Until when a token may be sent: it has to arrive while it is still valid. */
export const usableUntil = ({ expiresAt, issuedAt }: LedgerRecord): number =>
  expiresAt === null ? Infinity : expiresAt - safetyMargin(expiresAt - issuedAt);

/** What is to be done next, and when; on the shared clock. */
export interface Plan {
  readonly action: "refresh" | "end";
  readonly at: number;
}

/** Nothing is planned for a session that has ended, nor for a token whose expiry nobody knows. `renews`: else a token is left to lapse. */
export function planNext(record: LedgerRecord | undefined, maxAge: number, renews = true): Plan | undefined {
  if (!record?.signedIn) return undefined;
  const { failure, dueAt, expiresAt, final, renewedBy } = record;
  // No way to renew, or a mistake in the set-up that asking again does not mend.
  const hopeless = final || (failure !== undefined && failure.retryAt === null);
  const last = hopeless || renewedBy === "accessToken" ? (expiresAt ?? Infinity) : Infinity;
  const end = Math.min(tooOldAt(record, maxAge), last);
  // The tab that can renew does so when it is due; the others look for its result when they would need it.
  const at = failure?.retryAt ?? (hasMeans(record) ? dueAt : expiresAt);
  // What lives as long as the session needs no renewal.
  if (renews && !hopeless && at !== null && at < end && usableUntil(record) < end) return { action: "refresh", at };
  return end < Infinity ? { action: "end", at: end } : undefined;
}

export interface Scheduler {
  /** The record changed: there is one timer, and it is set anew. */
  arm(record: LedgerRecord | undefined): void;
  /** The clock may have jumped, or the page may have slept: looks at the time now. */
  check(): void;
  /** This tab could not do what was due, and the ledger does not say when to try again. */
  postpone(): void;
  stop(): void;
}

/**
 * A timer counts neither the device's sleep nor a clock that is set, and a signal may be missing: so the time is looked at some sixty times
 * in the life of a token, and not more than once a minute. It stays within the 2³¹−1 ms that `setTimeout` takes, too (keycloak/keycloak-js#107).
 */
const SHORTEST_LOOK = 60_000;
const LONGEST_TIMER = 0x7fff_ffff;
const LOOKS = 60;
const POSTPONED = 5000;

export function createScheduler(
  environment: Environment,
  clock: SharedClock,
  maxAge: number,
  renews: () => boolean,
  act: (action: Plan["action"]) => void,
): Scheduler {
  let timer: unknown;
  let record: LedgerRecord | undefined;
  let notBefore = 0;

  function check(): void {
    environment.clearTimeout(timer);
    timer = undefined;
    const plan = planNext(record, maxAge, renews());
    if (!plan) return;
    const wait = Math.max(plan.at, notBefore) - clock.now();
    if (wait > 0) {
      const look = Math.max(SHORTEST_LOOK, ((record && lifetimeIn(record)) ?? 0) / LOOKS);
      timer = environment.setTimeout(check, Math.ceil(Math.min(wait, look, LONGEST_TIMER)));
      return;
    }
    postpone();
    act(plan.action);
  }

  /** What was begun is not begun again by each wake-up while it is under way. */
  function postpone(): void {
    notBefore = clock.now() + (record ? Math.min(POSTPONED, Math.max(refreshFloor(lifetimeIn(record)), 50)) : 0);
    check();
  }

  return {
    arm(next) {
      record = next;
      notBefore = 0;
      check();
    },
    check,
    postpone,
    stop() {
      record = undefined;
      check();
    },
  };
}
