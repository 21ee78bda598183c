import { type Entry, isInstant, KINDS, parseEntry } from "./entry.js";

/** Describes one tab, by the data of its own panel. */
export interface Lane {
  readonly id: string;
  readonly here: boolean;
  /** When the tab's panel was mounted. */
  readonly since: number;
  entries: Entry[];
  heardAt: number;
  closed: boolean;
}

export interface Lanes {
  /** The lanes of open and closed tabs, the oldest lane first. */
  all(): Lane[];
  /** Adds an entry to this tab's lane, and sends the entry to the other tabs. */
  write(entry: Entry): void;
  /** Asks the other tabs for a sign of life. */
  ask(): void;
  /** Forgets all entries, in this tab's panel only. */
  clear(): void;
  /** Closes the channel and removes the listeners. */
  close(): void;
}

/** The messages between the panels of one origin. Any page of the origin can post a message, so `hear` checks every part. */
type Word =
  /** Asks each tab for its whole lane. */
  | { type: "hello" }
  | { type: "lane"; id: string; since: number; entries: readonly Entry[] }
  | { type: "entry"; id: string; entry: Entry }
  /** Asks each tab for a sign of life. */
  | { type: "ask" }
  | { type: "here" | "bye"; id: string };

/** The limit holds for each kind: many requests must not push out the entry of the token. */
const MOST_ENTRIES = 500;
/** Each reload of a tab adds a lane. At the limit, a new lane takes the place of a closed one. */
const MOST_LANES = 20;

export function createLanes(name: string, changed: () => void): Lanes {
  const now = Date.now();
  const own: Lane = { id: makeId(), here: true, since: now, entries: [], heardAt: now, closed: false };
  const known = new Map<string, Lane>([[own.id, own]]);
  let channel: BroadcastChannel | undefined;

  const say = (word: Word) => channel?.postMessage(word);

  function hear(data: unknown): void {
    const word = (data ?? {}) as Record<string, unknown>;
    if (word.type === "hello") return say({ type: "lane", id: own.id, since: own.since, entries: own.entries });
    if (word.type === "ask") return say({ type: "here", id: own.id });
    const { id } = word;
    if (typeof id !== "string" || !/^[a-z\d]{4,12}$/.test(id) || id === own.id) return;
    const lane = known.get(id);
    if (word.type === "lane") {
      const { since, entries } = word;
      if (!isInstant(since) || !Array.isArray(entries) || (!lane && !makeRoom())) return;
      const parsed = entries.slice(-MOST_ENTRIES * KINDS.length).flatMap((entry) => parseEntry(entry) ?? []);
      known.set(id, { id, here: false, since, entries: parsed, heardAt: Date.now(), closed: false });
    } else if (!lane) {
      // The sender's panel was mounted while this page had no channel.
      if (word.type !== "bye" && makeRoom()) say({ type: "hello" });
      return;
    } else {
      lane.heardAt = Date.now();
      lane.closed = word.type === "bye";
      const entry = word.type === "entry" && parseEntry(word.entry);
      if (entry) add(lane, entry);
    }
    changed();
  }

  function makeRoom(): boolean {
    const closed = [...known.values()].find((lane) => lane.closed);
    if (known.size >= MOST_LANES && closed) known.delete(closed.id);
    return known.size < MOST_LANES;
  }

  function add(lane: Lane, entry: Entry): void {
    // Entries can arrive late: an observer tells of a request after its end, and a session tells of a decision after its locked part.
    const entries = [...lane.entries, entry].sort((one, other) => one.at - other.at);
    const alike = entries.filter(({ of }) => of === entry.of);
    lane.entries = alike.length > MOST_ENTRIES ? entries.filter((one) => one !== alike[0]) : entries;
  }

  function open(): void {
    if (channel || typeof BroadcastChannel !== "function") return;
    channel = new BroadcastChannel(`tokentide-devtools:${name}`);
    channel.onmessage = ({ data }) => hear(data);
    say({ type: "hello" });
    say({ type: "lane", id: own.id, since: own.since, entries: own.entries });
  }

  /** Browsers keep no page with an open channel in the back/forward cache. */
  function leave(): void {
    say({ type: "bye", id: own.id });
    channel?.close();
    channel = undefined;
  }

  open();
  addEventListener("pagehide", leave);
  addEventListener("pageshow", open);
  return {
    all: () => [...known.values()].sort((one, other) => one.since - other.since),
    write(entry) {
      say({ type: "entry", id: own.id, entry });
      add(own, entry);
      changed();
    },
    ask: () => say({ type: "ask" }),
    clear() {
      for (const lane of known.values()) {
        lane.entries = [];
        if (lane.closed) known.delete(lane.id);
      }
      changed();
    },
    close() {
      leave();
      removeEventListener("pagehide", leave);
      removeEventListener("pageshow", open);
    },
  };
}

const makeId = (): string => Math.floor(36 ** 4 * (1 + 35 * Math.random())).toString(36);
