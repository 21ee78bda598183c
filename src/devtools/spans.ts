import type { Entry } from "./entry.js";

/** How long a tab used a token. */
export interface TokenSpan {
  readonly from: number;
  /** Undefined while it is in use. */
  to?: number;
  /** The ledger's version; undefined when the panel was mounted after it had come. */
  readonly number: number | undefined;
  readonly how: "signed in" | "refreshed" | "adopted";
  readonly expiresAt: number | undefined;
  readonly dueAt: number | undefined;
}

/** A refresh of one tab: it wanted one, perhaps waited for another tab, and perhaps sent a request. */
export interface RefreshSpan {
  readonly wanted: number;
  sent?: number;
  /** Undefined while it is under way. */
  to?: number;
  /** `refreshed`, `adopted`, or the code of the error. */
  outcome?: string;
}

const numberIn = ({ details }: Entry, key: string) => (typeof details[key] === "number" ? details[key] : undefined);

export function tokenSpans(entries: readonly Entry[]): TokenSpan[] {
  const spans: TokenSpan[] = [];
  for (const entry of entries) {
    const begins = ["signed-in", "already-signed-in", "refreshed", "user-changed"].includes(entry.name);
    if (entry.of !== "event" || (!begins && entry.name !== "signed-out")) continue;
    const last = spans.at(-1);
    if (last) last.to ??= entry.at;
    if (!begins) continue;
    const how = entry.name !== "refreshed" ? "signed in" : entry.details.adopted ? "adopted" : "refreshed";
    const [number, expiresAt, dueAt] = ["token", "expiresAt", "dueAt"].map((key) => numberIn(entry, key));
    spans.push({ from: entry.at, number, how, expiresAt, dueAt });
  }
  return spans;
}

export function refreshSpans(entries: readonly Entry[]): RefreshSpan[] {
  const spans: RefreshSpan[] = [];
  /** By audience: the refreshes of each are apart. */
  const open = new Map<unknown, RefreshSpan>();
  for (const { of, name, at, details } of entries) {
    if (of !== "decision") continue;
    const span = open.get(details.audience);
    if (name === "refresh-wanted") {
      const begun = { wanted: at };
      open.set(details.audience, begun);
      spans.push(begun);
    } else if (span && name === "refresh-started") span.sent = at;
    else if (span && name === "refresh-settled") {
      open.delete(details.audience);
      Object.assign(span, { to: at, outcome: String(details.outcome) });
    }
  }
  return spans;
}
