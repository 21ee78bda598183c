import type { DebugEvent, Session } from "../../../src/index.js";
import { dueAfter } from "../../../src/token/lifetime.js";
import type { Entry, EntryOf } from "../tabs/lane.js";
import type { User } from "./current.js";
import { trueTime } from "./environment.js";

/** Writes the session's events and decisions into the tab's lane. */
export function createRecorder(write: (entry: Entry) => void, expiryClaim = "exp") {
  let version = 0;
  let planned = "";

  function debug(event: DebugEvent): void {
    const at = trueTime(event.at);
    if (event.type === "ledger-changed") version = Number(event.version);
    if (event.type === "refresh-wanted" || event.type === "refresh-started" || event.type === "refresh-settled") {
      write({ kind: event.type, at });
    }
  }

  function listen(session: Session<User>): void {
    const token = (how: EntryOf<"token">["how"]) => {
      const { claims, expiresAt, refreshDueAt } = session.getSnapshot();
      const at = Date.now();
      const expires = expiresAt === null ? null : trueTime(expiresAt);
      const due = refreshDueAt === null ? null : trueTime(refreshDueAt);
      const lifetime = claims ? (Number(claims[expiryClaim]) - claims.iat) * 1000 : (expires ?? at) - at;
      planned = JSON.stringify([due, false]);
      write({
        kind: "token",
        at,
        number: version,
        how,
        name: claims?.name ?? "",
        expiresAt: expires,
        dueAt: due,
        window: expires === null || due === null ? null : windowOf(expires, lifetime, due),
      });
    };
    session.on("signed-in", () => token("signed in"));
    session.on("refreshed", ({ adopted }) => token(adopted ? "adopted" : "asked"));
    session.on("user-changed", ({ before, after }) => {
      token("signed in");
      write({ kind: "user", at: Date.now(), before: before?.name ?? "", after: after?.name ?? "" });
    });
    session.on("refresh-failed", ({ error, retryAt }) =>
      write({
        kind: "failed",
        at: Date.now(),
        code: error.code,
        status: error.status ?? null,
        retryAt: retryAt === null ? null : trueTime(retryAt),
      }),
    );
    session.on("signed-out", ({ reason, possiblyLostRotation: lost }) => write({ kind: "signed out", at: Date.now(), reason, lost }));
    session.subscribe(() => {
      const { status, refreshDueAt, degraded } = session.getSnapshot();
      const dueAt = refreshDueAt === null ? null : trueTime(refreshDueAt);
      const plan = JSON.stringify([dueAt, degraded]);
      if (status !== "signed-in" || plan === planned) return;
      planned = plan;
      // The events of the same change come first. They write the token to which the plan belongs.
      queueMicrotask(() => planned === plan && write({ kind: "plan", at: Date.now(), dueAt, degraded }));
    });
  }

  return { debug, listen };
}

/** The range from which the session drew `dueAt`. After a sign-in, `dueAt` may lie outside, and the range is widened. */
function windowOf(expiresAt: number, lifetime: number, dueAt: number): [number, number] {
  const drawn = (chance: number) =>
    expiresAt - lifetime + dueAfter({ lifetime, expiresAt, claims: null }, false, {}, { random: () => chance, complain: () => {} });
  return [Math.min(drawn(0), dueAt), Math.max(drawn(1), dueAt)];
}
