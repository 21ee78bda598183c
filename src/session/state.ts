import { type LedgerRecord, lastRenewal } from "../ledger/record.js";
import { claimsOf } from "../refresh/issue.js";
import { planNext, usableUntil as usableUntilOf } from "../refresh/scheduler.js";
import { sameClaims } from "../token/decode.js";
import type { Claims, SessionEvents, Snapshot } from "../types.js";
import type { Events } from "./events.js";

type EventMap = SessionEvents<Claims> & { change: undefined };

/** An access token, and whose it is: a request of one user is never sent as another. A renewal makes another object. */
export interface Credential {
  /** Empty where it lives in a cookie. */
  readonly token: string;
  readonly epoch: number;
  readonly subject: unknown;
}

export const sameUser = (one: Credential, other: Credential): boolean =>
  one.epoch === other.epoch || (one.subject !== undefined && one.subject === other.subject);

export interface State {
  readonly snapshot: Snapshot;
  /** The access token of the session, valid or not; undefined when signed out, or when this tab does not have it. */
  readonly credential: Credential | undefined;
  /** Until when, on the shared clock, the token may be sent. */
  readonly usableUntil: number;
  /** From when on, on the shared clock, something is to be done about it. */
  readonly dueAt: number;
  /** The ledger changed: works out what that means for the app, and puts the events in line. */
  apply(record: LedgerRecord, adopted: boolean): void;
  /** The session is somewhere, but out of this tab's reach. */
  lose(): void;
  /** There is no session. */
  settle(): void;
}

const withoutTokens = (status: Snapshot["status"]): Snapshot =>
  Object.freeze({ status, claims: null, expiresAt: null, refreshDueAt: null, degraded: false });
const RESTORING = /* @__PURE__ */ withoutTokens("restoring");
const SIGNED_OUT = /* @__PURE__ */ withoutTokens("signed-out");

/** What the app sees of the ledger. `toDevice` turns an instant of the shared clock into one of this device's. */
export function createState(
  events: Events<EventMap>,
  { readClaims, expiryClaim, maxAge }: { readonly readClaims: boolean; readonly expiryClaim: string; readonly maxAge: number },
  toDevice: (instant: number) => number,
): State {
  let snapshot = RESTORING;
  /** The record that the snapshot shows. */
  let shown: LedgerRecord | undefined;
  let credential: Credential | undefined;
  let usableUntil = 0;
  let dueAt = Infinity;

  function show(next: Snapshot): void {
    if (JSON.stringify(next) === JSON.stringify(snapshot)) return;
    snapshot = Object.freeze(next);
    events.emit("change", undefined);
  }

  function signedOut(reason: Snapshot["reason"], lost: boolean): void {
    const before = snapshot.status;
    credential = undefined;
    shown = undefined;
    dueAt = Infinity;
    show(reason ? { ...SIGNED_OUT, reason } : SIGNED_OUT);
    if (before === "signed-in" && reason) events.emit("signed-out", { reason, possiblyLostRotation: lost });
  }

  return {
    get snapshot() {
      return snapshot;
    },
    get credential() {
      return credential;
    },
    get usableUntil() {
      return usableUntil;
    },
    get dueAt() {
      return dueAt;
    },
    apply(next, adopted) {
      if (!next.signedIn) return signedOut(next.reason, next.lost);
      const before = snapshot;
      const previous = shown;
      const another = previous !== undefined && previous.epoch !== next.epoch;
      if (!next.tokens && next.renewedBy) {
        // Memory mode: the tokens of this version are on their way. What this tab has serves until then, unless it is another's.
        if (another) credential = undefined;
        return;
      }
      const token = next.tokens && (next.tokens.accessToken ?? "");
      const later = !previous || lastRenewal(previous).at !== lastRenewal(next).at;
      const renewed = token !== credential?.token || (!token && later);
      const claims = renewed || another ? claimsOf(next.tokens, readClaims) : before.claims;
      shown = next;
      if (renewed || another) credential = token === undefined ? undefined : { token, epoch: next.epoch, subject: claims?.sub };
      const { expiresAt } = next;
      usableUntil = usableUntilOf(next);
      const plan = planNext(next, maxAge);
      dueAt = plan?.at ?? Infinity;
      const device = (instant: number | null | undefined) => (instant == null ? null : Math.round(toDevice(instant)));
      show({
        status: "signed-in",
        claims,
        expiresAt: device(expiresAt),
        refreshDueAt: plan?.action === "refresh" ? device(plan.at) : null,
        degraded: next.failure !== undefined,
      });

      if (before.status !== "signed-in") return events.emit("signed-in", { claims, expiresAt: snapshot.expiresAt });
      const change = { before: before.claims, after: claims };
      if (another && (claims?.sub === undefined || claims.sub !== before.claims?.sub)) return events.emit("user-changed", change);
      if (later || renewed) events.emit("refreshed", { adopted, expiresAt: snapshot.expiresAt });
      if (!sameClaims(before.claims, claims, expiryClaim)) events.emit("claims-changed", change);
    },
    lose() {
      signedOut("owner-closed", false);
    },
    settle() {
      if (snapshot === RESTORING) signedOut(undefined, false);
    },
  };
}
