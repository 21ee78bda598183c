import type { Channel, Environment } from "../types/environment.js";

/** The tabs' BroadcastChannel. The page opens it at its first use, and closes it while the page is away. Without one, `post` does nothing. */
export interface TabChannel {
  open(): void;
  post(message: unknown): void;
  /** Closes the channel, since a page with an open channel cannot stay in the back/forward cache. */
  close(): void;
}

export function createTabChannel(environment: Environment, name: string, onMessage: (data: unknown) => void): TabChannel {
  let channel: Channel | undefined;
  function open(): void {
    try {
      channel ??= environment.openChannel?.(name);
      if (channel) channel.onmessage = (event) => onMessage(event.data);
    } catch {
      // A frame with an opaque origin may throw. The tabs still agree through the ledger.
    }
  }
  return {
    open,
    post(message) {
      try {
        channel?.postMessage(message);
      } catch {
        // The browser closed the channel while the page was away.
        channel = undefined;
      }
    },
    close() {
      channel?.close();
      channel = undefined;
    },
  };
}
