import type { Channel, Environment } from "../types/environment.js";

/** The tabs' BroadcastChannel. The page opens it at its first use, and closes it while the page is away. Without one, `post` does nothing. */
export interface TabChannel {
  open(): void;
  /**
   * Posts the message, also while the page is away: the app may sign out as the page leaves. Returns false if the browser refuses it: WebKitGTK
   * cannot hand keys to another tab.
   */
  post(message: unknown): boolean;
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
  function close(): void {
    channel?.close();
    channel = undefined;
  }
  return {
    open,
    post(message) {
      const isAway = !channel;
      if (isAway) open();
      let posted = true;
      try {
        channel?.postMessage(message);
      } catch (error) {
        posted = false;
        // The browser closed the channel while the page was away, unless it is the message that cannot be posted.
        if ((error as Error).name !== "DataCloneError") channel = undefined;
      }
      if (isAway) close();
      return posted;
    },
    close,
  };
}
