import type { IdleWatch } from "../limits/idle.js";
import type { Scheduler } from "../refresh/scheduler.js";
import type { PageSignal } from "../types/environment.js";
import type { SessionContext } from "./context.js";
import type { Opening } from "./restore.js";
import type { TokenSource } from "./token-source.js";

export interface PageLifeParts {
  readonly source: TokenSource;
  readonly scheduler: Scheduler;
  readonly idle: IdleWatch | undefined;
  readonly opening: Opening;
  /** Whether the scheduler may renew now. */
  renews(): boolean;
}

/** What a session does when the page is left, frozen, looked at again, or back on the network. */
export interface PageLife {
  /** The page changes. */
  hear(signal: PageSignal): void;
  /**
   * Reads the ledger if other tabs may have changed the session while this page was away, since calls wait for that (R55). Returns undefined
   * when this tab knows the session. The promise resolves after a second at the latest.
   */
  catchUp(): Promise<unknown> | undefined;
}

/** The longest time for which calls wait for the ledger after an absence. */
const READ_MS = 1000;
/** For this time after `hide`, the app's own listeners may still send what they have to save. Later calls come from a page that is back. */
const LEAVING_MS = 1000;

export function createPageLife(context: SessionContext, { source, scheduler, idle, opening, renews }: PageLifeParts): PageLife {
  const { environment, ledger, tabs, waits } = context;
  /** The monotonic time of `hide`, until the page is back. */
  let leftAt = Infinity;
  /** The read after the last absence, while it is under way. */
  let reading: Promise<unknown> | undefined;

  function hear(signal: PageSignal): void {
    ledger.reconnect();
    if (signal === "hide") {
      leftAt = environment.monotonic();
      idle?.leave();
      tabs.lock.leave();
      tabs.close();
      ledger.close(true);
      return;
    }
    const wasAway = leftAt < Infinity || signal === "activate";
    leftAt = Infinity;
    tabs.lock.comeBack();
    tabs.open();
    idle?.comeBack();
    // Messages are lost while the page is away. The ledger knows what they said.
    const read = ledger.read();
    if (wasAway) {
      const own = waits.within(READ_MS, read).then(() => {
        if (reading === own) reading = undefined;
      });
      reading = own;
    }
    void read.then(() => {
      if (waits.disposed) return;
      opening.resume();
      // A user looks at the page, and need not wait for as long as the scheduler would.
      const online = signal === "online";
      const due = ledger.current?.failure && renews() && (online || !source.valid());
      if (due) source.renew(online ? "due" : "expired", online).catch(() => {});
      scheduler.check();
    });
    if (signal === "activate") waits.activate();
  }

  function catchUp(): Promise<unknown> | undefined {
    if (waits.disposed) return undefined;
    // A listener of the app may hear of the return before the session does, and Safari freezes pages without an event.
    if (!reading && environment.monotonic() > Math.min(leftAt + LEAVING_MS, scheduler.lateAt)) {
      leftAt = 0;
      hear("wake");
    }
    return reading;
  }

  return { hear, catchUp };
}
