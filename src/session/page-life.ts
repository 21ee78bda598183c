import type { Ledger } from "../ledger/types.js";
import type { PageSignal } from "../platform/environment.js";
import type { IdleWatch } from "../refresh/idle.js";
import type { Scheduler } from "../refresh/scheduler.js";
import type { Lock } from "../tabs/lock.js";
import type { Access } from "./access.js";
import type { Siblings } from "./siblings.js";

/** What a session does when the page is left, frozen, looked at again, or back on the network. */
export function createPageLife(
  ledger: Ledger,
  lock: Lock,
  siblings: Siblings,
  access: Access,
  scheduler: Scheduler,
  idle: IdleWatch | undefined,
  renews: () => boolean,
  gone: AbortSignal,
): (signal: PageSignal) => void {
  return (signal) => {
    ledger.rejoin();
    if (signal === "hide") {
      idle?.leave();
      lock.leave();
      siblings.close();
      ledger.close(true);
      return;
    }
    lock.comeBack();
    siblings.open();
    idle?.comeBack();
    // What was said while the page was away is lost; the ledger knows.
    void ledger.look().then(() => {
      if (gone.aborted) return;
      // Somebody looks at the page, and need not wait for as long as the scheduler would.
      const online = signal === "online";
      const due = ledger.current?.failure && renews() && (online || !access.peek());
      if (due) access.renew(online ? "due" : "expired", online).catch(() => {});
      scheduler.check();
    });
  };
}
