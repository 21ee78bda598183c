import type { SignedOutReason } from "../../src/index.js";
import { createLog } from "./log.js";
import { session } from "./session.js";

export const reasons: Record<SignedOutReason, string> = {
  user: "You signed out, here or in another tab.",
  rejected: "The server refused to renew the session.",
  expired: "The token expired and could not be renewed.",
  "owner-closed": "The tab that could renew the session is gone.",
  "subject-changed": "The server answered for another user.",
  "storage-cleared": "The site’s data was cleared.",
  idle: "Nobody was there for too long.",
  "max-age": "The session has reached its greatest age.",
};

/** Everything the session says, in words. */
export function showEvents(): void {
  const log = createLog("events");
  session.on("signed-in", ({ claims }) => log(`Signed in as ${claims?.name}`, "good"));
  session.on("refreshed", ({ adopted }) =>
    log(adopted ? "New token, from another tab" : "New token: this tab refreshed", adopted ? "plain" : "good"),
  );
  session.on("refresh-failed", ({ error, attempt, retryAt }) => {
    const status = error.status === undefined ? "" : ` ${error.status}`;
    const next = retryAt === null ? "" : `, next in ${Math.max(0, (retryAt - Date.now()) / 1000).toFixed(1)}\u00a0s`;
    log(`Refresh failed (${error.code}${status}), try ${attempt}${next}`, "bad");
  });
  session.on("user-changed", ({ before, after }) => log(`Another user: ${before?.name} → ${after?.name}`, "good"));
  session.on("signed-out", ({ reason }) => log(`Signed out: ${reasons[reason]}`, reason === "user" ? "plain" : "bad"));
}
