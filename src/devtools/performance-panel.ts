import type { DebugEvent, Session } from "../types.js";
import { toPageTime } from "./time.js";

type Color = "primary" | "secondary-light" | "tertiary" | "error";

interface Flight {
  readonly wanted: number;
  readonly cause: unknown;
  /** When its request was sent, with the lock held. */
  sent?: number;
  attempt?: unknown;
}

const TRACK = { dataType: "track-entry", track: "tokentide", trackGroup: "tokentide" } as const;

/**
 * Writes what the session does into the page's performance timeline, from where Chrome's performance panel takes it as a track of its own:
 * each refresh, each wait for another tab's, and each call that was sent again. Nothing happens where there is no `performance.measure`.
 *
 * @returns its undo; what was written stays.
 */
export function traceToPerformancePanel(session: Session<object>): () => void {
  if (typeof globalThis.performance?.measure !== "function") return () => {};
  /** By audience: the refreshes of each are apart. */
  const flights = new Map<unknown, Flight>();
  return session.on("debug", (event) => {
    const { type, at, audience } = event;
    const flight = flights.get(audience);
    if (type === "refresh-wanted") {
      flights.set(audience, { wanted: at, cause: event.cause });
    } else if (type === "request-resent") {
      write(event, "resend", Number(event.since), "tertiary", { refused: event.status ?? "no answer" });
    } else if (type === "refresh-started" && flight) {
      write(event, "wait for the lock", flight.wanted, "secondary-light", { cause: flight.cause });
      flight.sent = at;
      flight.attempt = event.attempt;
    } else if (type === "refresh-settled" && flight) {
      const { outcome } = event;
      const { sent, cause, attempt } = flight;
      flights.delete(audience);
      const color: Color = outcome === "refreshed" ? "primary" : outcome === "adopted" ? "secondary-light" : "error";
      write(event, sent === undefined ? "wait for the lock" : "refresh", sent ?? flight.wanted, color, { outcome, cause, attempt });
    }
  });
}

function write({ at, tab, audience }: DebugEvent, name: string, since: number, color: Color, details: Record<string, unknown>): void {
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
