import type { DebugEvent, Session } from "../types/index.js";
import { followRefreshes } from "./spans.js";
import { toPageTime } from "./time.js";

type Color = "primary" | "secondary-light" | "tertiary" | "error";

/** A bar of the track goes from `since` to the instant of the decision. */
interface Measure {
  readonly name: string;
  readonly since: number;
  readonly color: Color;
  readonly details: Readonly<Record<string, unknown>>;
}

const TRACK = { dataType: "track-entry", track: "tokentide", trackGroup: "tokentide" } as const;

/**
 * Writes measures into the page's performance timeline: one for each refresh, for each wait for the lock, and for each call that the session
 * sent again. Chrome's performance panel shows the measures as the track `tokentide`. A measure holds no token.
 *
 * Without `performance.measure` the function does nothing. It has no errors of its own.
 *
 * @returns a function that stops the writing. The measures of before stay in the timeline.
 */
export function traceToPerformancePanel(session: Session<object>): () => void {
  if (typeof globalThis.performance?.measure !== "function") return () => {};
  const follow = followRefreshes();
  return session.on("debug", (event) => {
    const { type } = event;
    if (type === "request-resent") {
      const details = { refused: event.status ?? "no answer" };
      write(event, { name: "resend", since: Number(event.since), color: "tertiary", details });
    }
    const refresh = follow({ ...event, name: type });
    if (!refresh) return;
    const { wanted, sent, outcome, cause, attempt } = refresh;
    if (type === "refresh-started") {
      write(event, { name: "wait for the lock", since: wanted, color: "secondary-light", details: { cause } });
    } else if (type === "refresh-settled") {
      const color: Color = outcome === "refreshed" ? "primary" : outcome === "adopted" ? "secondary-light" : "error";
      const name = sent === undefined ? "wait for the lock" : "refresh";
      write(event, { name, since: sent ?? wanted, color, details: { outcome, cause, attempt } });
    }
  });
}

function write({ at, tab, audience }: DebugEvent, { name, since, color, details }: Measure): void {
  const properties = Object.entries({ ...details, audience, tab }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  const tooltipText = [name, ...Object.values(details).filter((value) => value !== undefined)].join(", ");
  const end = toPageTime(at);
  performance.measure(`tokentide: ${name}`, {
    start: Math.min(toPageTime(since), end),
    end,
    detail: { devtools: { ...TRACK, color, tooltipText, properties } },
  });
}
