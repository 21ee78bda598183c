import { isNewerRelease } from "../ledger/format.js";
import type { Ledger } from "../ledger/ledger.js";
import type { LedgerRecord } from "../ledger/record.js";
import { noChange, type Transition } from "../ledger/transitions/index.js";
import type { SharedClock } from "../platform/clock.js";
import type { Waits } from "../platform/timers.js";
import type { IdleWatch } from "./idle.js";
import type { MaxAgePlugin } from "./max-age.js";

/** The limits that end a session although a tab could renew it. See docs/decisions/0005-limits-hold-at-the-ledger.md. */
export interface Limits {
  /** Returns the end of the session, which activity does not move. It is Infinity without one. */
  endsAt(record: LedgerRecord): number;
  /**
   * Returns the limit that the session of `record` has reached, as far as this tab knows, if any. `work` in `ledger/copy.ts` asks before each
   * change. @default the session's own record, and this moment
   */
  reached(record?: LedgerRecord, now?: number): "idle" | "max-age" | undefined;
  /** Runs a transition in the ledger, which ends a session that is over. If storage does not answer in time, this tab's own record decides. */
  enforce(transition?: Transition): Promise<unknown>;
}

export interface LimitsParts {
  readonly clock: SharedClock;
  readonly maxAge: MaxAgePlugin | undefined;
  readonly waits: Waits;
  ledger(): Ledger;
  idle(): IdleWatch | undefined;
}

/** The longest wait for storage, which may have the user's activity in another tab. */
const STORAGE_WAIT_MS = 3000;

/** Makes the limits of a session that has one. `maxAge` and `idleLimit` bring this function along, so a session without a limit is smaller. */
export function createLimits(parts: LimitsParts): Limits {
  const endsAt = (record: LedgerRecord): number => parts.maxAge?.endsAt(record) ?? Infinity;

  function reached(record = parts.ledger().current, now = parts.clock.now()): "idle" | "max-age" | undefined {
    if (!record?.signedIn || isNewerRelease(record)) return undefined;
    if (now >= endsAt(record)) return "max-age";
    const watch = parts.idle();
    return watch && now >= watch.endsAt(record) ? "idle" : undefined;
  }

  return {
    endsAt,
    reached,
    async enforce(transition = noChange) {
      const applied = await parts.waits.within(STORAGE_WAIT_MS, parts.ledger().apply(transition));
      if (!applied && !parts.waits.disposed && reached())
        await parts
          .ledger()
          .apply(noChange, { within: 0 })
          .catch(() => {});
    },
  };
}
