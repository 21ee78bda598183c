import type { LedgerRecord } from "../ledger/record.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import type { Lock } from "../tabs/lock.js";

/**
 * For how long another tab's `refreshing` mark has to be respected, and when its holder counts as stuck.
 *
 * Neither the wall clock nor the monotonic one can tell: the one jumps, the other may count the hours of a sleep, after which the holder's
 * answer is waiting to be read. What counts is the time for which this tab has been watching, awake.
 */
export interface Marks {
  /**
   * Milliseconds for which the record's mark still stands; not positive when there is none, or it has run out. `stolen`: the lock was taken
   * from a tab that may be alive.
   */
  standing(record: LedgerRecord, stolen: boolean): number;
  /** Whether the lock has been refused for so long that its holder is passed over. */
  isStuck(): boolean;
  /** This tab has waited for the lock, or for the mark's holder. `planned`: when its timer would end that. `refused`: the lock was not granted. */
  watched(planned: number, actual: number, refused: boolean): void;
  /** Some tab wrote the ledger. */
  progress(record: LedgerRecord): void;
}

/** A timer that is late by more than this was held up by sleep, freezing or a busy page; browsers align those of hidden pages to a second. */
const LATE = 1500;
/** The most that counts of a wait in a page whose timers are throttled, where each may take a minute. */
const THROTTLED = 5000;
/** What others get to read their answers when everything has stood still. */
const SECOND_CHANCE = 2000;

export function createMarks(
  environment: Environment,
  clock: SharedClock,
  lock: Lock,
  tab: string,
  { takeoverAfter, reuseGrace }: { readonly takeoverAfter: number; readonly reuseGrace: number },
): Marks {
  let fence: number | undefined;
  /** Since when, on the monotonic clock, this mark is the one that is watched. */
  let seenAt = 0;
  let watchedFor = 0;
  let refusedFor = 0;
  let wasLate = false;

  function observe(record: LedgerRecord): void {
    if (record.fence === fence) return;
    fence = record.fence;
    seenAt = environment.monotonic();
    watchedFor = 0;
  }

  return {
    standing(record, stolen) {
      const { refreshing } = record;
      if (!refreshing) return 0;
      observe(record);
      // The server takes a used refresh token for a while longer: no need to wait for a tab that is gone.
      if (
        lock.available &&
        !stolen &&
        !refreshing.robbed &&
        refreshing.tab !== tab &&
        Math.abs(clock.now() - refreshing.since) < reuseGrace
      )
        return 0;
      // Without Web Locks, a tab that is gone looks like one that is stuck.
      return (lock.available ? refreshing.timeout : Math.max(takeoverAfter, refreshing.timeout)) - watchedFor;
    },
    isStuck: () => refusedFor >= takeoverAfter,
    watched(planned, actual, refused) {
      const late = actual - planned > LATE;
      // Late once is a sleep; late each time is a page that is throttled.
      const counted = late ? (wasLate ? Math.min(actual, THROTTLED) : -SECOND_CHANCE) : actual;
      // What did not last tells nothing of the timers, which may be early by a millisecond.
      wasLate = late || (wasLate && actual < planned - 1);
      // The mark may have been set in the middle of a long wait for the lock.
      watchedFor += Math.min(counted, environment.monotonic() - seenAt);
      refusedFor = refused ? refusedFor + counted : 0;
    },
    progress(record) {
      observe(record);
      // A mark that is older than this tab's waiting is the stuck holder's own.
      if (!record.refreshing || clock.now() - record.refreshing.since < refusedFor) refusedFor = 0;
    },
  };
}
