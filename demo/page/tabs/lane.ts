/** An event in one tab. Instants are epoch milliseconds of the real clock, even when the tab's clock is wrong. */
export type Entry = { readonly at: number } & (
  | {
      readonly kind: "token";
      /** The ledger's version: the same token has the same number in every tab. */
      readonly number: number;
      readonly how: "signed in" | "asked" | "adopted";
      readonly name: string;
      readonly expiresAt: number | null;
      readonly dueAt: number | null;
      /** The range from which the session drew `dueAt`. */
      readonly window: readonly [number, number] | null;
    }
  | { readonly kind: "plan"; readonly dueAt: number | null; readonly degraded: boolean }
  /** The session's decisions about a refresh, under their own names. A tab that waits for another tab's refresh starts none. */
  | { readonly kind: "refresh-wanted" }
  | { readonly kind: "refresh-started" }
  | { readonly kind: "refresh-settled" }
  | { readonly kind: "failed"; readonly code: string; readonly status: number | null; readonly retryAt: number | null }
  | { readonly kind: "call"; readonly status: number; readonly resent: boolean }
  | { readonly kind: "user"; readonly before: string; readonly after: string }
  | { readonly kind: "signed out"; readonly reason: string; readonly lost: boolean }
  /** The tab stood still, or had no network, since `from`. */
  | { readonly kind: "away"; readonly from: number; readonly why: "asleep" | "blocked" | "offline" }
  | { readonly kind: "note"; readonly text: string }
);

export type EntryOf<Kind extends Entry["kind"]> = Extract<Entry, { kind: Kind }>;

export interface LaneHead {
  readonly id: string;
  /** 0 until the tab has a number. */
  readonly number: number;
  readonly framed: boolean;
  readonly hidden: boolean;
}

export interface Lane {
  head: LaneHead;
  readonly here: boolean;
  readonly entries: Entry[];
  /** When the tab last gave a sign of life. */
  heardAt: number;
  closedAt: number | null;
}

export const titleOf = ({ head }: Lane): string => `Tab ${head.number || "…"}`;

/** The last item that fits. */
export function lastWhere<Item>(items: readonly Item[], fits: (item: Item) => boolean): Item | undefined {
  for (let index = items.length - 1; index >= 0; index--) if (fits(items[index] as Item)) return items[index];
  return undefined;
}

export function lastOf<Kind extends Entry["kind"]>(lane: Lane, ...kinds: Kind[]): EntryOf<Kind> | undefined {
  return lastWhere(lane.entries, ({ kind }) => (kinds as string[]).includes(kind)) as EntryOf<Kind> | undefined;
}

/** The token that the tab uses; undefined when the tab is signed out. */
export function tokenOf(lane: Lane): EntryOf<"token"> | undefined {
  const last = lastOf(lane, "token", "signed out");
  return last?.kind === "token" ? last : undefined;
}

/** Whether the tab has given no sign of life for some seconds. A hidden tab has more time, because browsers slow its timers down. */
export const isStill = (lane: Lane, now: number): boolean =>
  !lane.here && lane.closedAt === null && now - lane.heardAt > (lane.head.hidden ? 75_000 : 5000);
