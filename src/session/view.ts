import { SessionError } from "../errors.js";
import type { Binding } from "../ledger/binding.js";
import { lastRenewal, planNext, usableUntil as usableUntilOf } from "../ledger/facts.js";
import { errorBehind, type LedgerRecord } from "../ledger/record.js";
import { claimsOf, differs, same, settleClaims, VOLATILE } from "../token/claims.js";
import type { SignedOutReason, Snapshot } from "../types/index.js";
import type { Follower, SessionContext } from "./context.js";

/** An access token and its user, since the session never sends a request of one user as another. Each renewal makes a new object. */
export interface Credential {
  /** The token is an empty string where a cookie has the access token. */
  readonly token: string;
  readonly epoch: number;
  readonly subject: unknown;
  /** The key to which the token is bound, if any. */
  readonly binding?: Binding | undefined;
}

export const sameUser = (one: Pick<Credential, "epoch" | "subject">, other: Pick<Credential, "epoch" | "subject">): boolean =>
  one.epoch === other.epoch || (one.subject != null && same(one.subject, other.subject));

export interface View extends Follower {
  readonly snapshot: Snapshot;
  /** The access token of the session, valid or not. It is undefined when signed out, and in a tab without the token. */
  readonly credential: Credential | undefined;
  /** The id token of the session. It is undefined without a credential. */
  readonly idToken: string | undefined;
  /** The end of the time in which a call may send the token, on the shared clock. */
  readonly usableUntil: number;
  /** The time of the next planned action, on the shared clock. */
  readonly dueAt: number;
  /** Whether the session is known to be another user's by now. Where `user-changed` says so, this does, too. */
  isOfFormerUser(sent: Credential): boolean;
  /** Shows a signed-out session, since no tab that can renew it is in reach. */
  loseOwner(): void;
  /** Ends the restore. Without a record, the view shows a signed-out session, with the `reason` for which it knows no record. */
  endRestore(reason?: SignedOutReason): void;
}

const withoutTokens = (status: Snapshot["status"], reason?: Snapshot["reason"]): Snapshot =>
  Object.freeze({ status, claims: null, expiresAt: null, refreshDueAt: null, degraded: false, ...(reason && { reason }) });

/** Makes the snapshot and the events of the app from the record. */
export function createView(context: Pick<SessionContext, "clock" | "limits" | "report" | "settings" | "tab">): View {
  const { readClaims, expiryClaim, volatileClaims } = context.settings;
  let snapshot = withoutTokens("restoring");
  /** The record that the snapshot shows. */
  let shown: LedgerRecord | undefined;
  let credential: Credential | undefined;
  let usableUntil = 0;
  let dueAt = Infinity;

  function show(next: Snapshot): void {
    if (!differs(next, snapshot)) return;
    snapshot = Object.freeze(next);
    context.report.emit("change", undefined);
  }

  function signOut({ reason, lost = false, failure }: Partial<Pick<LedgerRecord, "reason" | "lost" | "failure">> = {}): void {
    const before = snapshot.status;
    credential = shown = undefined;
    dueAt = Infinity;
    show(withoutTokens("signed-out", reason));
    const error = failure && (errorBehind.get(failure) ?? new SessionError(failure.code, "the last refresh failed", failure));
    if (before === "signed-in" && reason) context.report.emit("signed-out", { reason, possiblyLostRotation: lost, error });
  }

  return {
    get snapshot() {
      return snapshot;
    },
    get credential() {
      return credential;
    },
    get idToken() {
      return credential && shown?.tokens?.idToken;
    },
    get usableUntil() {
      return usableUntil;
    },
    get dueAt() {
      return dueAt;
    },
    changed({ record: next }) {
      if (!next.signedIn) return signOut(next);
      const before = snapshot;
      const previous = shown;
      const another = previous && previous.epoch !== next.epoch;
      if (!next.tokens && next.renewedBy) {
        // In memory mode, a message will bring the tokens of this version. Until then, this tab keeps its token, unless the session is new.
        if (another) credential = undefined;
        return;
      }
      const token = next.tokens && (next.tokens.accessToken ?? "");
      const later = !previous || lastRenewal(previous).at !== lastRenewal(next).at;
      const renewed = another || token !== credential?.token || (!token && later);
      const rereads = renewed || next.tokens?.idToken !== previous?.tokens?.idToken;
      const claims = rereads ? settleClaims(before.claims, claimsOf(next.tokens, readClaims)) : before.claims;
      shown = next;
      if (renewed)
        credential = token === undefined ? undefined : { token, epoch: next.epoch, subject: claims?.sub, binding: next.tokens?.binding };
      usableUntil = usableUntilOf(next);
      const plan = planNext(next, context.limits.endsAt(next));
      dueAt = plan?.at ?? Infinity;
      show({
        status: "signed-in",
        claims,
        expiresAt: context.clock.toDevice(next.expiresAt),
        refreshDueAt: context.clock.toDevice(plan?.action === "refresh" ? plan.at : null),
        degraded: !!next.failure,
      });

      const { expiresAt } = snapshot;
      if (before.status !== "signed-in") return context.report.emit("signed-in", { claims, expiresAt });
      const change = { before: before.claims, after: claims };
      if (another && (claims?.sub == null || claims.sub !== before.claims?.sub)) return context.report.emit("user-changed", change);
      if (later || renewed) context.report.emit("refreshed", { adopted: next.by !== context.tab, expiresAt });
      if (differs(before.claims, claims, [...VOLATILE, expiryClaim, ...volatileClaims])) context.report.emit("claims-changed", change);
    },
    // In a tab without the token, too: there is no credential to compare with.
    isOfFormerUser: (sent) => !!shown && !sameUser(sent, { epoch: shown.epoch, subject: snapshot.claims?.sub }),
    loseOwner() {
      signOut({ reason: "owner-closed" });
    },
    endRestore(reason) {
      if (snapshot.status === "restoring") signOut({ reason });
    },
  };
}
