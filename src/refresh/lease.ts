import { latestInstant } from "../ledger/order.js";
import type { LedgerRecord } from "../ledger/record.js";
import type { SessionContext } from "../session/context.js";

/**
 * Measures how long another tab's lease still stands, and whether its holder is stuck.
 *
 * Neither clock can measure that. The wall clock jumps. The monotonic clock may count the hours of a sleep, after which the holder still reads
 * its answer. So only the time counts for which this tab was awake and waiting. See docs/decisions/0002-the-lease-excludes-the-lock-queues.md.
 */
export interface LeaseWatch {
  /**
   * Returns the milliseconds for which the record's lease still stands. They are not positive without a lease, and after its end. `stolen`: this
   * tab stole the lock from a holder that may be alive.
   */
  remaining(record: LedgerRecord, stolen: boolean): number;
  /** Whether this tab has waited for the lock so long that it may steal the lock. */
  isStuck(): boolean;
  /**
   * Notes that this tab has waited for the lock, or for the holder. `since`: the begin of the wait on the monotonic clock. `planned`: the
   * milliseconds of its timer. `refused`: the browser did not grant the lock.
   */
  waited(planned: number, since: number, refused: boolean): void;
  /** Notes that a tab wrote the ledger. */
  sawProgress(record: LedgerRecord): void;
}

/** A timer that is later than this was held up by sleep, freezing or a busy page. Browsers align the timers of hidden pages to a second. */
const LATE_MS = 1500;
/** The most that counts of a wait in a page whose timers are throttled: there, each timer may take a minute. */
const THROTTLED_MS = 5000;
/** The time that other tabs get to read their answers after a sleep. */
const SECOND_CHANCE_MS = 2000;

/** The shared clock may be wrong by so much. */
const LATE_LEASE_SLACK_MS = 60_000;

export function createLeaseWatch(context: Pick<SessionContext, "environment" | "clock" | "tabs" | "tab" | "settings">): LeaseWatch {
  const { takeoverAfter, reuseGrace } = context.settings;
  /** The lease that is watched, and since when, on the monotonic clock. */
  let watched = { id: "", since: 0, isOver: false };
  let waitedForHolder = 0;
  let waitedForLock = 0;
  let wasLate = false;

  /** The time of a prolonged lease counts anew. */
  const idOf = ({ fence, refreshing }: LedgerRecord): string => `${fence}${refreshing?.late}`;

  return {
    remaining(record, stolen) {
      const { refreshing } = record;
      if (!refreshing) return 0;
      const known = idOf(record) === watched.id;
      const waited = known ? waitedForHolder : 0;
      const { since, timeout, robbed, late } = refreshing;
      // No tab waits for a late answer, so the monotonic clock counts here. After a sleep, the holder gets a moment to read its answer.
      if (known && watched.isOver) return 0;
      if (late) return Math.max(timeout - (known ? context.environment.monotonic() - watched.since : 0), SECOND_CHANCE_MS - waited);
      // Without Web Locks, a tab that has closed looks like one that is stuck.
      if (!context.tabs.lock.available) return Math.max(takeoverAfter, timeout) - waited;
      // The server takes a used refresh token for a while longer: there is no need to wait for a tab that has closed.
      const closed = !stolen && !robbed && refreshing.tab !== context.tab && Math.abs(context.clock.now() - since) < reuseGrace;
      return closed ? 0 : timeout - waited;
    },
    isStuck: () => waitedForLock >= takeoverAfter,
    waited(planned, since, refused) {
      const now = context.environment.monotonic();
      const actual = now - since;
      const late = actual - planned > LATE_MS;
      // One late timer means a sleep. Several late timers in a row mean a page with throttled timers.
      const counted = late ? (wasLate ? Math.min(actual, THROTTLED_MS) : -SECOND_CHANCE_MS) : actual;
      // A wait that ended early proves nothing about the timers. A timer may be early by a millisecond.
      wasLate = late || (wasLate && actual < planned - 1);
      // The holder may have taken the lease in the middle of this tab's wait for the lock.
      waitedForHolder += Math.min(counted, now - watched.since);
      waitedForLock = refused ? waitedForLock + counted : 0;
    },
    sawProgress(record) {
      const { refreshing } = record;
      const id = idOf(record);
      if (id !== watched.id) {
        // A page that opens would count anew. So by the shared clock, too, a prolonged lease is over that it finds long after the failure.
        const isOver = !!refreshing?.late && context.clock.now() - latestInstant(record) > takeoverAfter + LATE_LEASE_SLACK_MS;
        watched = { id, since: context.environment.monotonic(), isOver };
        waitedForHolder = 0;
      }
      // A lease that is older than this tab's waiting is the stuck holder's own.
      if (!refreshing || context.clock.now() - refreshing.since < waitedForLock) waitedForLock = 0;
    },
  };
}
