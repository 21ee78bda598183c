import type { Entry } from "./entry.js";

/** How long a tab used a token. */
export interface TokenSpan {
  readonly from: number;
  /** Undefined while the token is in use. */
  to?: number;
  /** The ledger's version; undefined when the panel was mounted after the token had come. */
  readonly number: number | undefined;
  readonly how: "signed in" | "refreshed" | "adopted";
  readonly expiresAt: number | undefined;
  readonly dueAt: number | undefined;
}

/** A refresh of one tab: the tab wanted it, perhaps waited for another tab, and perhaps sent a request. */
export interface RefreshSpan {
  readonly wanted: number;
  readonly cause: unknown;
  /** When the request was sent, with the lock held. */
  sent?: number;
  attempt?: unknown;
  /** Undefined while the refresh is under way. */
  to?: number;
  /** `refreshed`, `adopted`, or the code of the error. */
  outcome?: string;
}

/** A decision of the session. Decisions with another name than the three of a refresh are left out. */
interface Decision {
  readonly name: string;
  readonly at: number;
  readonly [detail: string]: unknown;
}

const numberIn = ({ details }: Entry, key: string) => (typeof details[key] === "number" ? details[key] : undefined);

/** Each token that `read` finds is in use until the next token, or until an item that `read` calls the end. */
export function usesOf<Item extends { readonly at: number }, Token extends object>(
  items: readonly Item[],
  read: (item: Item) => Token | "end" | undefined,
): (Token & Pick<TokenSpan, "from" | "to">)[] {
  const spans: (Token & Pick<TokenSpan, "from" | "to">)[] = [];
  for (const item of items) {
    const token = read(item);
    if (!token) continue;
    const last = spans.at(-1);
    if (last) last.to ??= item.at;
    if (token !== "end") spans.push({ ...token, from: item.at });
  }
  return spans;
}

/** Returns a function that takes the decisions one after the other, and returns the refresh to which a decision belongs. */
export function followRefreshes(): (decision: Decision) => RefreshSpan | undefined {
  /** By audience: the refreshes of each are apart. */
  const open = new Map<unknown, RefreshSpan>();
  return ({ name, at, audience, cause, attempt, outcome }) => {
    const span = open.get(audience);
    if (name === "refresh-wanted") {
      if (span) span.to = at;
      const begun = { wanted: at, cause };
      open.set(audience, begun);
      return begun;
    }
    if (name === "refresh-started") return span && Object.assign(span, { sent: at, attempt });
    if (name !== "refresh-settled") return undefined;
    open.delete(audience);
    return span && Object.assign(span, { to: at, outcome: String(outcome) });
  };
}

export const refreshesOf = (decisions: readonly Decision[]): RefreshSpan[] => {
  const follow = followRefreshes();
  return [...new Set(decisions.flatMap((decision) => follow(decision) ?? []))];
};

export const tokenSpans = (entries: readonly Entry[]): TokenSpan[] =>
  usesOf(entries, (entry) => {
    const { of, name, details } = entry;
    if (of !== "event") return undefined;
    if (name === "signed-out") return "end";
    if (!["signed-in", "already-signed-in", "refreshed", "user-changed"].includes(name)) return undefined;
    const how = name !== "refreshed" ? "signed in" : details.adopted ? "adopted" : "refreshed";
    return { number: numberIn(entry, "token"), how, expiresAt: numberIn(entry, "expiresAt"), dueAt: numberIn(entry, "dueAt") };
  });

export const refreshSpans = (entries: readonly Entry[]): RefreshSpan[] =>
  refreshesOf(entries.flatMap(({ of, name, at, details }) => (of === "decision" ? [{ ...details, name, at }] : [])));
