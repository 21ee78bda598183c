import type { LedgerRecord } from "../ledger/record.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import type { Lock } from "../tabs/lock.js";

/**
 * For how long another tab's `refreshing` mark has to be respected, and when its holder counts as stuck.
 *
 * Both are measured on this tab's monotonic clock from when it first saw them: a wall clock that jumps must not make a mark look old
 * while its request is at the server.
 */
export interface Marks {
  /** Milliseconds for which the record's mark still stands; not positive when there is none, or it has run out. */
  standing(record: LedgerRecord): number;
  /** Whether the lock has been refused for so long that its holder is passed over. */
  stuck(): boolean;
  /** The lock, asked for at that monotonic time, was not granted. */
  refused(asked: number): void;
  granted(): void;
  /** Some tab wrote the ledger, so nobody is stuck. */
  progress(record: LedgerRecord): void;
}

export function createMarks(
  environment: Environment,
  clock: SharedClock,
  lock: Lock,
  tab: string,
  options: { readonly takeoverAfter: number; readonly reuseGrace: number },
): Marks {
  const { takeoverAfter, reuseGrace } = options;
  let fence: number | undefined;
  let firstSeen = 0;
  let refusedSince: number | undefined;

  function observe(record: LedgerRecord): void {
    if (record.fence === fence) return;
    fence = record.fence;
    firstSeen = environment.monotonic();
  }

  return {
    standing(record) {
      const { refreshing } = record;
      if (!refreshing) return 0;
      observe(record);
      // The server takes a used refresh token for a while longer: no need to wait for a tab that is gone.
      if (lock.available && refreshing.tab !== tab && Math.abs(clock.now() - refreshing.since) < reuseGrace) return 0;
      // Without Web Locks, a tab that is gone looks like one that is stuck.
      return firstSeen + (lock.available ? refreshing.timeout : Math.max(takeoverAfter, refreshing.timeout)) - environment.monotonic();
    },
    stuck: () => lock.available && refusedSince !== undefined && environment.monotonic() - refusedSince >= takeoverAfter,
    refused(asked) {
      refusedSince ??= asked;
    },
    granted() {
      refusedSince = undefined;
    },
    progress(record) {
      observe(record);
      refusedSince = undefined;
    },
  };
}
