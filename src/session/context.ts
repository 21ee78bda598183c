import type { SessionError } from "../errors.js";
import type { Ledger, LedgerChange } from "../ledger/ledger.js";
import type { Limits } from "../limits/limits.js";
import type { SharedClock } from "../platform/clock.js";
import type { Waits } from "../platform/timers.js";
import type { TabSync } from "../tabs/sync.js";
import type { Environment } from "../types/environment.js";
import type { RefreshStrategy } from "../types/index.js";
import type { Settings } from "./options.js";
import type { Reporter } from "./reporter.js";

/** The modules of one session share this context. Each audience derives a context from it. */
export interface SessionContext {
  readonly environment: Environment;
  readonly clock: SharedClock;
  /** The id of this session object in the record. It is random, for each page load and each session in the page. */
  readonly tab: string;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly limits: Limits;
  readonly tabs: TabSync;
  readonly report: Reporter;
  readonly waits: Waits;
}

/** A strategy that uses more of the session than a refresh function does: `vault` makes one. */
export interface ConnectedStrategy extends RefreshStrategy {
  connect?(context: SessionContext, parts: StrategyParts): void;
}

export interface StrategyParts {
  /** Resolves when this tab has read the record. */
  readonly known: Promise<void>;
  /** Renews the token ahead of time. */
  renew(): void;
}

/** A module that follows the record. `session.ts` has the one ordered list of them. */
export interface Follower {
  changed(change: LedgerChange): void;
  /** Clears the timers, and rejects the waiting callers. */
  stop?(error: SessionError): void;
}
