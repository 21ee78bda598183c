import type { Ledger } from "../ledger/ledger.js";
import { forSiblings, type Message, parseMessage } from "../ledger/messages.js";
import type { Environment } from "../platform/environment.js";
import { createTabChannel } from "../tabs/channel.js";

/** The session in the other tabs: tells them what the ledger says, and gets from them what it does not hold. */
export interface Siblings {
  open(): void;
  /** Says that the ledger was written. */
  announce(): void;
  /** Asks for tokens of this version or a later one. */
  ask(version: number): void;
  close(): void;
}

/** A tab that cannot renew leaves it to the one that can to answer first, and answers after so many milliseconds if that one is gone. */
const AFTER_OWNER = 50;
const SPREAD = 200;

export function createSiblings(
  environment: Environment,
  name: string,
  ledger: Ledger,
  shareAccessToken: boolean,
  renew: () => void,
): Siblings {
  let answering: unknown;
  const channel = createTabChannel(environment, name, (data) => {
    const message = parseMessage(data);
    if (message?.type === "ask") answer(message.version);
    else if (message) {
      environment.clearTimeout(answering);
      void ledger.offer(message.record);
    }
  });
  const post = (message: Message) => channel.post(message);

  function announce(): void {
    const record = ledger.current;
    // The access token only where the others do not find it in the ledger.
    if (record) post({ type: "changed", record: forSiblings(record, !ledger.persistent && shareAccessToken) });
  }

  function answer(version: number): void {
    const record = ledger.current;
    if (!record?.signedIn || !record.tokens) return;
    const owner = record.tokens.refreshToken !== undefined;
    if (record.version < version) {
      if (owner) renew();
    } else if (owner) {
      announce();
    } else {
      environment.clearTimeout(answering);
      answering = environment.setTimeout(announce, AFTER_OWNER + SPREAD * environment.random());
    }
  }

  return {
    open: channel.open,
    announce,
    ask: (version) => post({ type: "ask", version }),
    close() {
      environment.clearTimeout(answering);
      channel.close();
    },
  };
}
