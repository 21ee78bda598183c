import { endsAt } from "../ledger/facts.js";
import type { Ledger } from "../ledger/ledger.js";
import { isNewerRelease, type LedgerRecord } from "../ledger/record.js";
import { noChange, type Transition } from "../ledger/transitions/index.js";
import type { SharedClock } from "../platform/clock.js";
import type { Waits } from "../platform/timers.js";
import type { IdleWatch } from "./idle.js";

/** The limits that end a session although a tab could renew it. See docs/decisions/0005-limits-hold-at-the-ledger.md. */
export interface Limits {
  /**
   * Returns the limit that the session of `record` has reached, as far as this tab knows, if any. `work` in `ledger/copy.ts` asks before each
   * change. @default the session's own record, and this moment
   */
  reached(record?: LedgerRecord, now?: number): "idle" | "max-age" | undefined;
  /** Runs a transition in the ledger, which ends a session that is over. If storage does not answer in time, this tab's own record decides. */
  enforce(transition?: Transition): Promise<void>;
}

export interface LimitsParts {
  readonly clock: SharedClock;
  readonly maxAge: number;
  readonly waits: Waits;
  ledger(): Ledger;
  idle(): IdleWatch | undefined;
}

/** The longest wait for storage, which may have the user's activity in another tab. */
const STORAGE_WAIT_MS = 3000;

export function createLimits(parts: LimitsParts): Limits {
  function reached(record = parts.ledger().current, now = parts.clock.now()): "idle" | "max-age" | undefined {
    if (!record?.signedIn || isNewerRelease(record)) return undefined;
    if (now >= endsAt(record, parts.maxAge)) return "max-age";
    const watch = parts.idle();
    return watch && now >= watch.endsAt(record) ? "idle" : undefined;
  }
  return {
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
