import { SessionError } from "../errors.js";
import type { SessionContext } from "../session/context.js";
import type { RefreshCause } from "../types/index.js";
import type { RefreshRequest } from "./decision.js";

export type Refreshed = "refreshed" | "adopted";

/** The result of one turn with the lock: an outcome, or the milliseconds to wait before the next turn. */
export type Turn = Refreshed | SessionError | number;

/** One refresh of this tab, from its first request until all callers have the outcome. */
export interface Flight extends RefreshRequest {
  readonly promise: Promise<Refreshed>;
  /** Aborts when the callers have the outcome. It ends every wait, but not the request. */
  readonly over: AbortSignal;
  /** The error of the callers when their time is up. */
  giveUp: SessionError;
  /** Whether this tab is writing the result. Then a change of the ledger is this tab's own. */
  writing: boolean;
  settle(outcome: Refreshed | SessionError): void;
}

export const noSession = (): SessionError => new SessionError("signed-out", "there is no session");

/** The token was just renewed, and another renewal would bring nothing. */
export function ruledOut(context: Pick<SessionContext, "report">, cause: RefreshCause, ruling: "young" | "paced"): SessionError {
  context.report.debug("refresh-ruled-out", { cause, ruling });
  return new SessionError("busy", "the token was just renewed");
}
