import { assertKnown } from "../errors.js";
import { keepInMemory } from "../ledger/transitions/index.js";
import type { MemoryMode } from "../types/index.js";
import type { SessionContext } from "./context.js";
import { wrong } from "./options.js";

export interface MemoryOptions {
  /** Whether other tabs get the access token. They never get the refresh token. @default true */
  shareAccessToken?: boolean;
}

/** The members of a `memory` that only a session uses. */
export interface MemoryPlugin extends MemoryMode {
  readonly option: "persist";
  readonly shareAccessToken: boolean;
  /** `known`: this tab has read the record. */
  connect(context: SessionContext, known: Promise<void>): void;
}

/**
 * Makes the value of the option `persist` for memory mode: no token is stored. Only the tab that signed in can refresh; the other tabs get the
 * access token from it, and the session ends with it (`owner-closed`).
 *
 * A session that finds the tokens of an earlier release stored keeps them in its tab, and removes them from storage.
 *
 * @throws {TypeError} when an option is wrong or unknown.
 */
export function memory(options: MemoryOptions = {}): MemoryMode {
  const { shareAccessToken = true } = options;
  assertKnown("memory", options, { shareAccessToken });
  if (typeof shareAccessToken !== "boolean") wrong("shareAccessToken", "a boolean", shareAccessToken, "memory");
  const plugin: MemoryPlugin = {
    option: "persist",
    shareAccessToken,
    async connect({ ledger, waits }, known) {
      await known;
      // A prerendered page, which may never be shown, only reads.
      waits.whenActive(() => {
        if (!waits.disposed) void ledger.apply(keepInMemory);
      });
    },
  };
  return plugin;
}
