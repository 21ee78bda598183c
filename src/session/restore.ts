import { canRenew } from "../ledger/facts.js";
import type { SessionContext } from "./context.js";
import type { TokenSource } from "./token-source.js";
import type { View } from "./view.js";

/** The longest time for which `ready` and a sign-in wait for storage. Then the sign-in goes on in memory. */
export const RESTORE_MS = 3000;
/** The longest time, while the page is awake, for which the status stays `restoring` while storage does not answer. Then the session goes on without storage. */
const UNKNOWN_MS = 10_000;
/** The longest time for which a new tab in memory mode waits for the access token from another tab. */
const OTHER_TABS_MS = 500;
/** After an opening of the app, another opening within this time renews nothing. */
const ONE_OPENING_MS = 60_000;

export interface RestoreParts {
  readonly view: View;
  readonly source: TokenSource;
  readonly opening: Opening;
}

/** The renewal as the app opens, which `renewOnOpen` asks for. */
export interface Opening {
  /** The session is restored: renews, or puts it off where a hidden page is to let its token lapse. */
  begin(): void;
  /** The page may be seen now: makes up for what was put off. */
  resume(): void;
}

export function createOpening({ clock, environment, ledger, settings }: SessionContext, source: TokenSource): Opening {
  let postponed = false;

  function begin(): void {
    const record = ledger.current;
    // Several tabs that open together, or one after the other, are one opening.
    const wanted = settings.renewOnOpen && record?.signedIn && canRenew(record) && clock.now() - record.committedAt >= ONE_OPENING_MS;
    postponed = !!wanted && !settings.renewWhileHidden && !!environment.hidden;
    if (wanted && !postponed) source.renew("due").catch(() => {});
  }

  return { begin, resume: () => postponed && begin() };
}

/** How far the restore has come. */
export interface Restore {
  /** Resolves when the status is known, and after `RESTORE_MS` at the latest. */
  readonly ready: Promise<void>;
  /** Resolves when the status is known, after `UNKNOWN_MS` at the latest (R87). */
  readonly known: Promise<void>;
}

/** Takes up what another tab or an earlier page left. */
export function restore(context: SessionContext, { view, opening, source }: RestoreParts): Restore {
  async function readSession(): Promise<true> {
    context.tabs.open();
    await context.ledger.read();
    const record = context.ledger.current;
    if (!record?.tokens && context.environment.openChannel) {
      context.tabs.ask(record?.version ?? 0);
      const shown = new Promise((resolve) => context.report.on("change", resolve));
      // A sign-in while storage was full is in another tab alone. It is too rare to have every new tab wait for it.
      if (record ? record.signedIn : !context.ledger.shared) await context.waits.within(OTHER_TABS_MS, shown);
    }
    if (view.snapshot.status === "restoring" && record?.signedIn && !canRenew(record)) source.loseOwner();
    return true;
  }

  async function learn(): Promise<void> {
    const answered = await context.waits.whileAwake(UNKNOWN_MS, readSession());
    if (context.waits.disposed) return;
    view.endRestore(answered ? undefined : "storage-unavailable");
    context.report.flush(true);
    opening.begin();
  }

  const known = learn();
  return { known, ready: context.waits.within(RESTORE_MS, known) };
}
