import type { Entry, EntryOf, Lane } from "../tabs/lane.js";

/** A token's life in one tab. `end` is when the tab stopped using it; the token may live longer. */
export interface TokenSpan extends EntryOf<"token"> {
  readonly end: number | null;
  /** As it is planned now: attempts that failed move it. */
  due: number | null;
}

/** A refresh of one tab: it wanted one, perhaps waited for another tab, and perhaps sent it. */
export interface RefreshSpan {
  readonly wanted: number;
  sent: number | null;
  end: number | null;
}

export function tokenSpans({ entries, closedAt }: Lane): TokenSpan[] {
  const spans: { -readonly [Key in keyof TokenSpan]: TokenSpan[Key] }[] = [];
  let open: (typeof spans)[number] | undefined;
  for (const entry of entries) {
    if (entry.kind === "plan" && open) open.due = entry.dueAt;
    if (entry.kind !== "token" && entry.kind !== "signed out") continue;
    if (open) open.end = entry.at;
    open = entry.kind === "token" ? { ...entry, end: null, due: entry.dueAt } : undefined;
    if (open) spans.push(open);
  }
  if (open) open.end = closedAt;
  return spans;
}

export function refreshSpans({ entries, closedAt }: Lane): RefreshSpan[] {
  const spans: RefreshSpan[] = [];
  let open: RefreshSpan | undefined;
  const close = (entry: Entry) => {
    if (open) open.end = entry.at;
    open = undefined;
  };
  for (const entry of entries) {
    if (entry.kind === "wanted") {
      close(entry);
      open = { wanted: entry.at, sent: null, end: null };
      spans.push(open);
    } else if (entry.kind === "sent" && open) open.sent = entry.at;
    else if (entry.kind === "over") close(entry);
  }
  if (open) open.end = closedAt;
  return spans;
}
