import type { Channel, Environment } from "../platform/environment.js";

/** The tabs' BroadcastChannel: opened when first needed, let go of while the page is away. Without one, nobody hears and nothing breaks. */
export interface TabChannel {
  open(): void;
  post(message: unknown): void;
  /** A page with an open channel cannot stay in the back/forward cache. */
  close(): void;
}

export function createTabChannel(environment: Environment, name: string, onMessage: (data: unknown) => void): TabChannel {
  let channel: Channel | undefined;
  function open(): void {
    try {
      channel ??= environment.openChannel?.(name);
      if (channel) channel.onmessage = (event) => onMessage(event.data);
    } catch {
      // A frame without an origin of its own may refuse; the ledger alone still keeps the tabs together.
    }
  }
  return {
    open,
    post(message) {
      try {
        channel?.postMessage(message);
      } catch {
        // Closed by the browser while the page was away.
        channel = undefined;
      }
    },
    close() {
      channel?.close();
      channel = undefined;
    },
  };
}
