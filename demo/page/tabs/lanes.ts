import { framed } from "../place.js";
import { hear, say } from "./channel.js";
import type { Entry, Lane, LaneHead } from "./lane.js";
import { numberTab, openNumbers } from "./number.js";

/** Milliseconds for which a lane keeps an entry. The timeline never shows a longer time. */
const MEMORY = 12 * 60_000;
const LONGEST = 2000;
const BEAT = 2000;
/** Milliseconds for which the page shows the lane of a closed tab. */
const AFTERLIFE = 15_000;

const id = crypto.randomUUID();
const own: Lane = { head: { id, number: 0, framed, hidden: document.hidden }, here: true, entries: [], heardAt: 0, closedAt: null };
const known = new Map<string, Lane>([[id, own]]);
const listeners = new Set<(entry?: Entry, lane?: Lane) => void>();

function changed(entry?: Entry, lane?: Lane): void {
  for (const listener of listeners) listener(entry, lane);
}

/** Another page of this origin may post on the channel, or an older version of this page. */
const isEntry = (value: unknown): value is Entry => {
  const entry = value as Entry | undefined;
  return typeof entry?.at === "number" && typeof entry.kind === "string";
};

function laneOf(head: LaneHead): Lane {
  const lane = known.get(head.id) ?? { head, here: false, entries: [], heardAt: 0, closedAt: null };
  known.set(head.id, lane);
  lane.head = head;
  lane.heardAt = Date.now();
  lane.closedAt = null;
  return lane;
}

function add(lane: Lane, entry: Entry): void {
  const { entries } = lane;
  entries.push(entry);
  lane.heardAt = Date.now();
  while (entries.length > LONGEST || (entries[0]?.at ?? Infinity) < Date.now() - MEMORY) entries.shift();
  changed(entry, lane);
}

const introduce = () => say({ type: "lane", head: own.head, entries: own.entries });

function close(lane: Lane): void {
  lane.closedAt ??= Date.now();
  changed();
}

async function tidy(): Promise<void> {
  const open = await openNumbers();
  for (const lane of known.values()) {
    if (lane.here) continue;
    // The browser frees the lock of a tab even after a crash, which sends no message.
    if (lane.closedAt === null && lane.head.number > 0 && !open.has(lane.head.number)) close(lane);
    if (lane.closedAt !== null && Date.now() - lane.closedAt > AFTERLIFE) {
      known.delete(lane.head.id);
      changed();
    }
  }
}

/** The lanes of all tabs of the demo, in the order of their numbers. */
export const lanes = {
  own,
  all: (): Lane[] => [...known.values()].sort((one, other) => one.head.number - other.head.number),
  open: (): Lane[] => lanes.all().filter(({ closedAt }) => closedAt === null),
  /** Adds an entry to this tab's lane, and sends the entry to the other tabs. */
  write(entry: Entry): void {
    say({ type: "entry", id, entry });
    add(own, entry);
  },
  /** Calls the listener with each new entry and its lane, and without both when a tab comes or goes. Returns a function that removes the listener. */
  onChange(listener: (entry?: Entry, lane?: Lane) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

/** Takes a number for this tab, introduces it to the other tabs, and listens to them. */
export function joinTabs(): void {
  hear("hello", introduce);
  hear("lane", ({ head, entries }) => {
    const lane = laneOf(head);
    lane.entries.splice(0, Infinity, ...entries.filter(isEntry));
    changed();
  });
  hear("beat", ({ head }) => {
    if (!known.has(head.id)) return say({ type: "hello" });
    laneOf(head);
    changed();
  });
  hear("entry", ({ id, entry }) => {
    const lane = known.get(id);
    if (!lane) say({ type: "hello" });
    else if (isEntry(entry)) add(lane, entry);
  });
  hear("bye", ({ id }) => {
    const lane = known.get(id);
    if (lane) close(lane);
  });
  const beat = () => {
    own.head = { ...own.head, hidden: document.hidden };
    say({ type: "beat", head: own.head });
  };
  numberTab((number) => {
    own.head = { ...own.head, number };
    introduce();
    say({ type: "hello" });
    changed();
  });
  addEventListener("pagehide", () => say({ type: "bye", id }));
  document.addEventListener("visibilitychange", beat);
  setInterval(beat, BEAT);
  setInterval(() => void tidy(), BEAT);
}
