import { isNewerRelease, type Reads } from "../ledger/format.js";
import type { Ledger } from "../ledger/ledger.js";
import { sameCommit } from "../ledger/order.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../types/environment.js";
import { createTabChannel } from "./channel.js";
import type { Lock } from "./lock.js";
import { forOtherTabs, type Message, parseMessage } from "./messages.js";

/** Joins the tabs of a session: queues them, tells them of each commit, and asks them for tokens that the ledger does not have. */
export interface TabSync {
  readonly lock: Lock;
  open(): void;
  /** Tells the other tabs that this tab wrote the ledger. */
  announce(): void;
  /** Asks for tokens of this version or a later one. @default for the session's own audience */
  ask(version: number, audience?: string): void;
  close(): void;
}

export interface TabSyncParts {
  readonly environment: Environment;
  readonly clock: SharedClock;
  /** Names the session's channel. */
  readonly key: string;
  readonly ledger: Ledger;
  readonly lock: Lock;
  /** Whether other tabs get the access token of a session whose tokens are not in storage. */
  readonly shareAccessToken: boolean;
  readonly reads: Reads;
  /** Another tab, which cannot renew, needs a token. */
  renew(audience: string | undefined): void;
}

/** A tab that cannot renew answers after so many milliseconds, so that a tab that can renew answers first. */
const AFTER_OWNER_MS = 50;
const SPREAD_MS = 200;

export function createTabSync(parts: TabSyncParts): TabSync {
  let answering: unknown;
  /** The version for whose tokens this tab, without storage, has asked. */
  let asked = 0;
  const channel = createTabChannel(parts.environment, parts.key, (data) => {
    const message = parseMessage(data, parts.reads);
    if (message?.type === "ask") answer(message.version, message.shared === false, message.audience);
    else if (message) {
      parts.environment.clearTimeout(answering);
      const { current } = parts.ledger;
      const ahead = parts.clock.now() - message.record.committedAt;
      // An end is written as late as storage takes it, and a tab that knows no record yet cannot tell an old commit from a new one.
      const isNews = current && message.record.signedIn && message.record.version > current.version && !sameCommit(current, message.record);
      void parts.ledger.receive(message.record, message.shared !== false).then((record) => {
        // The ledger has this commit, so its moment is no invention of a script (R93). Storage may have taken long to say so.
        if (isNews && sameCommit(record, message.record)) parts.clock.retreat(parts.clock.now() - ahead);
        // A tab without storage hears of a token that the others find in the ledger.
        if (parts.ledger.shared || !record?.signedIn || record.tokens || record.version === asked) return;
        // This tab asks once, since the other tabs may not share access tokens.
        asked = record.version;
        ask(asked);
      });
    }
  });

  const ask = (version: number, audience?: string) =>
    channel.post({ type: "ask", version, shared: parts.ledger.shared, audience } satisfies Message);

  /** The access token is told only where the ledger does not hold it, or to a tab that cannot read the ledger. */
  function announce(withAccessToken = !parts.ledger.persistent): void {
    const record = parts.ledger.current;
    // This release has only a part of a newer release's record.
    if (!record || isNewerRelease(record)) return;
    const tell = (withTokens: boolean) =>
      channel.post({ type: "changed", shared: parts.ledger.shared, record: forOtherTabs(record, withTokens) } satisfies Message);
    // A browser may refuse the key of bound tokens. Without it, the access token is of no use.
    if (!tell(withAccessToken && parts.shareAccessToken)) tell(false);
  }

  function answer(version: number, cannotRead: boolean, audience: string | undefined): void {
    const record = parts.ledger.current;
    if (!record?.signedIn || !record.tokens) return;
    const owner = record.tokens.refreshToken !== undefined;
    if (record.version < version) {
      if (owner) parts.renew(audience);
      // The ledger of the tab that asks may not have the failure.
      if (!parts.ledger.shared) announce();
    } else if (owner && !parts.ledger.persistent) {
      announce();
    } else {
      // All tabs that read the ledger are owners: one answer is enough.
      const withAccessToken = cannotRead || !parts.ledger.persistent;
      parts.environment.clearTimeout(answering);
      answering = parts.environment.setTimeout(() => announce(withAccessToken), AFTER_OWNER_MS + SPREAD_MS * parts.environment.random());
    }
  }

  return {
    lock: parts.lock,
    open: channel.open,
    announce: () => announce(),
    ask,
    close() {
      parts.environment.clearTimeout(answering);
      channel.close();
    },
  };
}
