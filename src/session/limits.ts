import type { LedgerRecord } from "../ledger/record.js";
import type { Change, Ledger } from "../ledger/types.js";
import type { SharedClock } from "../platform/clock.js";
import type { IdleWatch } from "../refresh/idle.js";
import { tooOldAt } from "../refresh/limits.js";

/** What ends a session although it could be renewed. */
export interface Limits {
  /** Why the session, or the one of `record`, is over as far as is known, if it is. */
  overrun(record?: LedgerRecord): "idle" | "max-age" | undefined;
  /** Reads and changes the ledger, which ends a session that is over. Where that does not answer in time, what is known here decides. */
  look(change?: Change): Promise<void>;
}

/** How long storage may take to say that somebody was active in another tab. */
const PATIENCE = 3000;

export function createLimits(
  clock: SharedClock,
  maxAge: number,
  parts: () => { ledger: Ledger; idle: IdleWatch | undefined },
  atMost: <T>(milliseconds: number, promise: Promise<T>) => Promise<T | undefined>,
  gone: AbortSignal,
  flush: () => void,
): Limits {
  function overrun(record = parts().ledger.current): "idle" | "max-age" | undefined {
    if (!record?.signedIn) return undefined;
    const now = clock.now();
    if (now >= tooOldAt(record, maxAge)) return "max-age";
    const { idle } = parts();
    return idle && now >= idle.endsAt(record) ? "idle" : undefined;
  }
  return {
    overrun,
    async look(change = () => undefined) {
      const { ledger } = parts();
      const answered = ledger.update(change).then(() => true);
      if ((await atMost(PATIENCE, answered)) || gone.aborted || !overrun()) return;
      ledger.abandon(() => undefined);
      flush();
    },
  };
}
