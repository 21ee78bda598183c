import type { SignedOutReason } from "../../../src/index.js";
import { element, inSeconds, setText } from "../dom.js";
import { eachSession, session } from "../session/current.js";
import { trueTime } from "../session/environment.js";
import { lastOf, lastWhere, titleOf, tokenOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";
import { lastTruth, onTruth } from "./truth.js";

const reasons: Record<SignedOutReason, string> = {
  user: "You signed out, here or in another tab.",
  rejected: "The server refused to renew the session.",
  expired: "The token expired and could not be renewed.",
  "owner-closed": "The tab that could renew the session is gone.",
  "subject-changed": "The server answered for another user.",
  "storage-cleared": "The site’s data was cleared.",
  "storage-unavailable": "The browser’s storage does not answer.",
  "credential-lost": "The key of the session is gone from this browser.",
  idle: "Nobody was there for too long.",
  "max-age": "The session has reached its greatest age.",
};

/** Shows the session's state in large letters. The state counts down, so the page shows it four times a second. */
export function showState(): void {
  eachSession((session) => {
    session.subscribe(show);
    show();
  });
  lanes.onChange(show);
  onTruth(show);
  setInterval(show, 250);
}

let problem: string | undefined;

/** Shows a failure outside the session, such as a failed sign-in. */
export function showProblem(message: string | undefined): void {
  problem = message;
  show();
}

function show(): void {
  const { status, claims, expiresAt, refreshDueAt, degraded } = session().getSnapshot();
  const signedIn = status === "signed-in";
  const section = element("state");
  for (const part of section.querySelectorAll<HTMLElement>("[data-when]")) part.hidden = part.dataset.when !== status;
  const now = Date.now();
  const left = expiresAt === null ? null : trueTime(expiresAt) - now;
  section.dataset.state = signedIn ? (degraded ? "degraded" : left !== null && left <= 0 ? "expired" : "fresh") : status;
  setText(element("tab"), titleOf(lanes.own));
  if (status === "restoring") return;
  if (signedIn) problem = undefined;
  setText(element("status"), signedIn ? `Signed in as ${claims?.name ?? "somebody"}` : "Signed out");
  document.title = `${signedIn ? `${claims?.name}` : "Signed out"} · tokentide`;
  setText(element("explanation"), problem ?? (signedIn ? explain(degraded, left) : whyOut()));
  if (!signedIn) return;
  setText(element("token-number"), String(tokenOf(lanes.own)?.number ?? "–"));
  setText(element("expires-in"), left === null ? "unknown" : left > 0 ? inSeconds(left) : "expired");
  setText(element("due-in"), refreshDueAt === null ? "not planned" : inSeconds(Math.max(0, trueTime(refreshDueAt) - now)));
}

function explain(degraded: boolean, left: number | null): string {
  if (degraded) return "The last refresh failed. The session stays, and tries again.";
  if (left !== null && left <= 0) return "The token has expired; the next call renews it first.";
  const token = tokenOf(lanes.own);
  const asker = lanes
    .all()
    .find((lane) => lane.entries.some((entry) => entry.kind === "token" && entry.how === "asked" && entry.number === token?.number));
  if (!asker) return "One tab will ask for the next token; all of them will have it.";
  return asker.here
    ? "This tab asked for the token; the others adopted it."
    : `${titleOf(asker)} asked for the token; this tab adopted it.`;
}

function whyOut(): string {
  const last = lastOf(lanes.own, "signed out");
  const { reason } = session().getSnapshot();
  if (!reason) return "Sign in with one click. There are no passwords here.";
  const reuse = lastWhere(lastTruth()?.stats.events ?? [], ({ kind }) => kind.startsWith("used refresh token"));
  if (reason === "rejected" && reuse && Date.now() - reuse.at < 60_000) {
    return "A refresh token came to the server a second time. It cannot tell a thief from the owner, so it ended the session.";
  }
  return `${reasons[reason] ?? `The session ended: ${reason}.`}${last?.lost ? " An answer had been lost on its way before." : ""}`;
}
