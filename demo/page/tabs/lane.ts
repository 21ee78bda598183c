/** What happened in one tab, in the order in which it did. Instants are epoch milliseconds of the real clock. */
export type Entry = { readonly at: number } & (
  | {
      readonly kind: "token";
      /** The ledger's version: the same token has the same number in every tab. */
      readonly number: number;
      readonly how: "signed in" | "asked" | "adopted";
      readonly name: string;
      readonly expiresAt: number | null;
      readonly dueAt: number | null;
      /** Between these the due moment was drawn. */
      readonly window: readonly [number, number] | null;
    }
  | { readonly kind: "plan"; readonly dueAt: number | null; readonly degraded: boolean }
  /** A refresh: wanted, then sent with the lock held, then over; one that another tab makes is never sent. */
  | { readonly kind: "wanted" }
  | { readonly kind: "sent" }
  | { readonly kind: "over" }
  | { readonly kind: "failed"; readonly code: string; readonly status: number | null; readonly retryAt: number | null }
  | { readonly kind: "call"; readonly status: number; readonly resent: boolean }
  | { readonly kind: "user"; readonly before: string; readonly after: string }
  | { readonly kind: "signed out"; readonly reason: string; readonly lost: boolean }
  /** Nothing ran here, or nothing came through, since `from`. */
  | { readonly kind: "away"; readonly from: number; readonly why: "asleep" | "blocked" | "offline" }
  | { readonly kind: "note"; readonly text: string }
);

export type EntryOf<Kind extends Entry["kind"]> = Extract<Entry, { kind: Kind }>;

export interface LaneHead {
  readonly id: string;
  /** 0 until it has one. */
  readonly number: number;
  readonly framed: boolean;
  readonly hidden: boolean;
}

export interface Lane {
  head: LaneHead;
  readonly here: boolean;
  readonly entries: Entry[];
  /** When it was last heard of. */
  heardAt: number;
  closedAt: number | null;
}

export const titleOf = ({ head }: Lane): string => `Tab ${head.number || "…"}`;

/** Of the newest that fits: lists are long, and what is looked for is near their end. */
export function lastWhere<Item>(items: readonly Item[], fits: (item: Item) => boolean): Item | undefined {
  for (let index = items.length - 1; index >= 0; index--) if (fits(items[index] as Item)) return items[index];
  return undefined;
}

export function lastOf<Kind extends Entry["kind"]>(lane: Lane, ...kinds: Kind[]): EntryOf<Kind> | undefined {
  return lastWhere(lane.entries, ({ kind }) => (kinds as string[]).includes(kind)) as EntryOf<Kind> | undefined;
}

/** The token that the tab is on; undefined when it is signed out. */
export function tokenOf(lane: Lane): EntryOf<"token"> | undefined {
  const last = lastOf(lane, "token", "signed out");
  return last?.kind === "token" ? last : undefined;
}

/** Milliseconds without a sign of life after which a tab counts as standing still; hidden ones are slowed down by the browser. */
export const isStill = (lane: Lane, now: number): boolean =>
  !lane.here && lane.closedAt === null && now - lane.heardAt > (lane.head.hidden ? 75_000 : 5000);
