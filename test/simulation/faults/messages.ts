import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { Channel, Environment } from "../../../src/types/environment.js";

export interface Messages {
  /** The session posts a record. */
  posted(record: LedgerRecord): void;
  /** The session hears a record, in `deliver`. */
  heard(record: LedgerRecord, deliver: () => void): void;
}

type Listener = Channel["onmessage"];

/** Looks at the records that a session posts and hears. */
export function watchMessages(environment: Environment, messages: Messages): void {
  const { openChannel } = environment;
  if (!openChannel) return;
  environment.openChannel = (name) => {
    const channel = openChannel(name);
    const { postMessage } = channel;
    let listener: Listener = null;
    const deliver = (event: { data: unknown }) => {
      const { record } = event.data as { record?: LedgerRecord };
      if (record) messages.heard(record, () => listener?.(event));
      else listener?.(event);
    };
    channel.onmessage = deliver;
    return Object.defineProperties(channel, {
      postMessage: {
        value(message: unknown) {
          const { record } = message as { record?: LedgerRecord };
          if (record) messages.posted(record);
          postMessage.call(channel, message);
        },
      },
      onmessage: {
        get: () => deliver,
        set(next: Listener) {
          listener = next;
        },
      },
    });
  };
}
