import { forSiblings, type Message, parseMessage } from "../ledger/messages.js";
import type { Ledger } from "../ledger/types.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import { createTabChannel } from "../tabs/channel.js";

/** The session in the other tabs: tells them what the ledger says, and gets from them what it does not hold. */
export interface Siblings {
  open(): void;
  /** Says that the ledger was written. */
  announce(): void;
  /** Asks for tokens of this version or a later one; for the session's own, or for an audience's. */
  ask(version: number, audience?: string): void;
  close(): void;
}

/** A tab that cannot renew leaves it to the one that can to answer first, and answers after so many milliseconds if that one is gone. */
const AFTER_OWNER = 50;
const SPREAD = 200;

export function createSiblings(
  environment: Environment,
  clock: SharedClock,
  name: string,
  ledger: Ledger,
  shareAccessToken: boolean,
  renew: (audience: string | undefined) => void,
): Siblings {
  let answering: unknown;
  /** The version whose tokens this tab without storage has asked for. */
  let asked = 0;
  const channel = createTabChannel(environment, name, (data) => {
    const message = parseMessage(data);
    if (message?.type === "ask") answer(message.version, message.shared === false, message.audience);
    else if (message) {
      environment.clearTimeout(answering);
      if (message.record.version > (ledger.current?.version ?? 0)) clock.retreat(message.record.committedAt);
      void ledger.offer(message.record).then((record) => {
        // A tab without storage hears of a token that the others find in the ledger.
        if (ledger.shared || !record?.signedIn || record.tokens || record.version === asked) return;
        // Once: the answer may be that access tokens are not shared.
        asked = record.version;
        ask(asked);
      });
    }
  });
  const post = (message: Message) => channel.post(message);

  const ask = (version: number, audience?: string) => post({ type: "ask", version, shared: ledger.shared, audience });

  /** The access token is told only where the ledger does not hold it, or to a tab that cannot read it. */
  function announce(withAccessToken = !ledger.persistent): void {
    const record = ledger.current;
    if (record) post({ type: "changed", record: forSiblings(record, withAccessToken && shareAccessToken) });
  }

  function answer(version: number, cannotRead: boolean, audience: string | undefined): void {
    const record = ledger.current;
    if (!record?.signedIn || !record.tokens) return;
    const owner = record.tokens.refreshToken !== undefined;
    if (record.version < version) {
      if (owner) renew(audience);
    } else if (owner && !ledger.persistent) {
      announce();
    } else {
      // All who read the ledger are owners: one answer is enough.
      const withAccessToken = cannotRead || !ledger.persistent;
      environment.clearTimeout(answering);
      answering = environment.setTimeout(() => announce(withAccessToken), AFTER_OWNER + SPREAD * environment.random());
    }
  }

  return {
    open: channel.open,
    announce: () => announce(),
    ask,
    close() {
      environment.clearTimeout(answering);
      channel.close();
    },
  };
}
