import type { DebugEvent, Session, SessionEvents } from "../types/index.js";
import { type Entry, makeEntry, redactUrl } from "./entry.js";
import { toWallTime } from "./time.js";

type Write = (entry: Entry) => void;

const EVENTS = [
  ...(["signed-in", "refreshed", "refresh-failed", "claims-changed", "user-changed"] as const),
  ...(["idle-warning", "idle-cancelled", "signed-out"] as const),
] satisfies (keyof SessionEvents)[];

/** Writes an entry for each event and each decision of the session. Returns a function that stops the recording. */
export function recordSession(session: Session<object>, write: Write): () => void {
  /** The ledger's version: the same token has the same number in every tab. */
  let version: unknown;
  function tell(name: string, payload: object): void {
    const { status, expiresAt, refreshDueAt } = session.getSnapshot();
    const token = status === "signed-in" && { token: version, expiresAt, dueAt: refreshDueAt };
    write(makeEntry(Date.now(), "event", name, { ...token, ...payload }));
  }
  const undo = EVENTS.map((name) =>
    session.on(name, (payload) => {
      if (!("error" in payload)) return tell(name, payload);
      const { error, ...rest } = payload;
      tell(name, { code: error?.code, status: error?.status, ...rest });
    }),
  );
  undo.push(
    session.on("debug", ({ type, at, ...details }: DebugEvent) => {
      if (type === "ledger-changed") version = details.version;
      write(makeEntry(at, "decision", type, details));
    }),
  );
  if (session.getSnapshot().status === "signed-in") tell("already-signed-in", {});
  return () => {
    for (const stop of undo) stop();
  };
}

/** Writes an entry for each request of the page that the browser reports, earlier requests included. Returns a function that stops the recording. */
export function recordRequests(write: Write): () => void {
  const Observer = globalThis.PerformanceObserver;
  if (!Observer?.supportedEntryTypes?.includes("resource")) return () => {};
  const observer = new Observer((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      const { name, initiatorType, startTime, duration, responseStatus } = entry;
      if (initiatorType !== "fetch" && initiatorType !== "xmlhttprequest") continue;
      // Some browsers report the status as 0, others do not report it.
      const details = { url: redactUrl(name, location.href), status: responseStatus || undefined, milliseconds: Math.round(duration) };
      write(makeEntry(toWallTime(startTime), "request", initiatorType, details));
    }
  });
  observer.observe({ type: "resource", buffered: true });
  return () => observer.disconnect();
}
