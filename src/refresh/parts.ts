import type { SessionError } from "../errors.js";
import type { Ledger } from "../ledger/types.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import type { Lock } from "../tabs/lock.js";
import type { RefreshStrategy, TokenSet } from "../types.js";
import type { IssueOptions } from "./issue.js";
import type { Request } from "./ruling.js";

export type Refreshed = "refreshed" | "adopted";

/** What came of one turn with the lock: an outcome, or how long to wait before the next turn, and why if there is none. */
export type Turn = Refreshed | SessionError | { readonly wait: number; readonly why?: SessionError };

/** One refresh of this tab, from when it is first wanted until all who wait for it know what became of it. */
export interface Flight extends Request {
  readonly promise: Promise<Refreshed>;
  /** Aborts every wait; never the request. */
  readonly over: AbortSignal;
  /** Its own result is being written; what the ledger then says is no news. */
  writing: boolean;
  settle(outcome: Refreshed | SessionError): void;
}

/** What a refresh needs of the rest of the session. */
export interface RefresherParts {
  readonly environment: Environment;
  readonly clock: SharedClock;
  readonly ledger: Pick<Ledger, "current" | "shared" | "update" | "look">;
  readonly lock: Lock;
  readonly strategy: RefreshStrategy;
  /** Names this session object in the ledger's mark. */
  readonly tab: string;
  readonly options: IssueOptions & { readonly refreshTimeout: number; readonly takeoverAfter: number; readonly reuseGrace: number };
  /** Whether the session has reached a limit, as far as is known here. */
  overrun(): unknown;
  /** Tells the other tabs what the ledger now says. */
  announce(): void;
  /** Asks the other tabs for tokens of this version or a later one. */
  ask(version: number): void;
  /** The lock is free: whatever waits for that may run. */
  unlocked(): void;
  failed(error: SessionError, attempt: number, retryAt: number | null): void;
  /** Tokens that came after the session had ended. */
  discarded(tokens: TokenSet): void;
  complain(problem: string): void;
  debug(type: string, details?: Record<string, unknown>): void;
}

/** Without a shared ledger: how long, in milliseconds, siblings have to say that they know better. */
export const OBJECTION = 150;
