import { type RefreshSpan, refreshesOf, usesOf } from "../../../src/devtools/spans.js";
import type { EntryOf, Lane } from "../tabs/lane.js";

/** A token's use in one tab, from `from` to `to`. The token may live longer than its use. */
export interface TokenSpan extends EntryOf<"token"> {
  readonly from: number;
  to?: number;
}

export const tokenSpans = ({ entries, closedAt }: Lane): TokenSpan[] =>
  endedAt(
    closedAt,
    usesOf(entries, (entry) => (entry.kind === "token" ? entry : entry.kind === "signed out" ? "end" : undefined)),
  );

export const refreshSpans = ({ entries, closedAt }: Lane): RefreshSpan[] =>
  endedAt(closedAt, refreshesOf(entries.map(({ kind, at }) => ({ name: kind, at }))));

/** The last span of a tab ends with the tab. */
function endedAt<Span extends { to?: number }>(closedAt: number | null, spans: Span[]): Span[] {
  const last = spans.at(-1);
  if (last && closedAt !== null) last.to ??= closedAt;
  return spans;
}
