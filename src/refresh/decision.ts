import { SessionError } from "../errors.js";
import { cannotRenew, canRenew, demandedAt, isExpired, isPaced, lastRenewal, lifetimeIn, quietFor } from "../ledger/facts.js";
import { isNewerRelease } from "../ledger/format.js";
import { isCalledOff, isRenewed } from "../ledger/order.js";
import type { LedgerRecord } from "../ledger/record.js";
import { refreshFloor } from "../token/lifetime.js";
import type { RefreshCause } from "../types/index.js";

/** A wanted refresh, and the rights of its callers. */
export interface RefreshRequest {
  /** The record at the time of the request. */
  readonly base: LedgerRecord;
  /** The reason, for the strategy and for `debug`. */
  cause: RefreshCause;
  /** The time of the request, or of the activation of its prerendered page, on the shared clock. */
  startedAt: number;
  /** Whether the refresh begins a session. There may be none yet. */
  readonly begins: boolean;
  /** Whether a caller waits for the token. */
  demanded: boolean;
  /** Whether an API refused the token. */
  refused: boolean;
  /** Whether the pause after a failure does not count: the app called `refresh()`, or the network is back. */
  ignoresBackoff: boolean;
}

/** The action of the tab that holds the lock. */
export type Decision =
  | "refresh"
  /** Another tab has renewed, and this tab has the token. */
  | "adopted"
  /** The session has ended, or another session has begun. */
  | "gone"
  /** The token is too young to be renewed again. */
  | "young"
  /** An API refuses a token that was already renewed for a refusal. Another renewal would probably not cure that either. */
  | "paced"
  /** The tab waits for so many milliseconds before its next turn. */
  | number
  /** Another tab has the tokens of this version, or can renew them. */
  | { readonly askOwner: number }
  /** The refresh has failed, and the callers get this error. */
  | SessionError;

/** The longest wait of a call for the next attempt after a failed one. */
export const WORTH_WAITING_MS = 2000;

export const newerRelease = (): SessionError =>
  new SessionError("newer-release", "a newer release of this app has the session; reload the page");

/** Returns the action of this tab by the present record. */
export function decide(record: LedgerRecord | undefined, request: RefreshRequest, now: number): Decision {
  const { base, demanded, ignoresBackoff, startedAt } = request;
  if (!record) return "gone";
  if (isNewerRelease(record)) return newerRelease();
  const adopts = record.signedIn && record.tokens ? "adopted" : "gone";
  if (request.begins) {
    if (isCalledOff(record, base)) return "gone";
    // Another tab has signed in meanwhile.
    if (record.epoch !== base.epoch && adopts === "adopted") return adopts;
    return quietFor(record, now) ? backOff(record, request, now) : "refresh";
  }
  if (!record.signedIn || record.epoch !== base.epoch) return adopts;
  const renewed = isRenewed(record, base);
  const askOwner = { askOwner: renewed || !record.tokens ? record.version : record.version + 1 };
  // A newer token that has expired meanwhile does not count.
  if (renewed && !isExpired(record, now)) return record.tokens ? "adopted" : askOwner;
  if (cannotRenew(record, now)) return new SessionError("not-renewable", "there is no refresh token");
  if (request.refused && !ignoresBackoff && isPaced(record, now)) return "paced";
  // The pause after a failure binds all tabs. A tab that waited during the failed attempt shares the failure, so that not every tab in the
  // queue makes an attempt of its own.
  const { failure } = record;
  const next = demanded ? demandedAt(record) : (failure?.retryAt ?? Infinity);
  const paused = failure && (failure.at > startedAt || (!ignoresBackoff && now < next));
  if (paused || quietFor(record, now)) return backOff(record, request, now);
  if (!canRenew(record)) return askOwner;
  // The first token of a session may be older than its arrival, so the floor holds only for a token from a refresh.
  const { at } = lastRenewal(record);
  const floor = refreshFloor(lifetimeIn(record));
  if (at <= record.signedInAt || ignoresBackoff || Math.abs(now - at) >= floor) return "refresh";
  // A token of this age that has expired, or was revoked, does not help the caller. So the caller waits for the rest of the floor.
  return demanded ? at + floor - now : "young";
}

/** Decides after a failed attempt, before the next one is due. */
function backOff(record: LedgerRecord, { demanded, startedAt }: RefreshRequest, now: number): Decision {
  // Without a failure, the server asked to wait in its answer to another audience, or to a sign-in.
  const { failure } = record;
  const retryAfter = quietFor(record, now);
  // A call that came after the failure waits for the next attempt if it is near, since a late token is better than an expired one.
  const soon = Math.max(retryAfter, demandedAt(record) - now);
  if (demanded && (failure?.at ?? 0) <= startedAt && soon <= WORTH_WAITING_MS) return soon;
  return new SessionError(failure?.code ?? "throttled", "the last refresh failed, and the next is not due yet", { ...failure, retryAfter });
}
