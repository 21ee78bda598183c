import { type Entry, isInstant, KINDS, parseEntry } from "./entry.js";

/** What one tab let be known of itself. */
export interface Lane {
  readonly id: string;
  readonly here: boolean;
  /** When its panel was mounted. */
  readonly since: number;
  entries: Entry[];
  heardAt: number;
  closed: boolean;
}

export interface Lanes {
  /** Those that are open and those that were, the oldest first. */
  all(): Lane[];
  /** Puts down what happened in this tab, and tells the others. */
  write(entry: Entry): void;
  /** Asks the others for a sign of life. */
  ask(): void;
  /** Forgets what happened so far, in this tab's panel only. */
  clear(): void;
  /** Leaves nothing behind. */
  close(): void;
}

/** What the panels of one origin tell each other. Whoever posts may be anybody, or an older version of this: everything is checked. */
type Word =
  /** Who is there, and what happened there? */
  | { type: "hello" }
  | { type: "lane"; id: string; since: number; entries: readonly Entry[] }
  | { type: "entry"; id: string; entry: Entry }
  /** Who is there? */
  | { type: "ask" }
  | { type: "here" | "bye"; id: string };

/** Of each kind, so that an app that asks all the time for something does not push out when its token came. */
const MOST_ENTRIES = 500;
/** Those that are open come first: a tab that is loaded anew is another one each time. */
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
      // It was mounted while this page was away.
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
    // Requests are told of when they are over, and decisions when it is safe to run what hears them.
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

  /** A page with an open channel may not be kept in the back/forward cache. */
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
