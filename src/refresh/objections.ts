import type { LedgerRecord } from "../ledger/record.js";
import { aborted } from "../platform/timers.js";
import type { SessionContext } from "../session/context.js";

/** The time in which other tabs can announce a later commit. */
const OBJECTION_WINDOW_MS = 150;

/** Without a ledger that orders the tabs: asks for tokens of a later commit than the lease's, and waits for a moment, or until `over` aborts. */
export async function objections(context: SessionContext, { version }: LedgerRecord, over?: AbortSignal): Promise<void> {
  if (context.ledger.shared || !context.environment.openChannel) return;
  context.tabs.ask(version + 1);
  await context.waits.within(OBJECTION_WINDOW_MS, over ? aborted(over) : new Promise(() => {}));
}
