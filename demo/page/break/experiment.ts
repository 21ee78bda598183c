import { pause } from "../dom.js";
import { session } from "../session/current.js";
import { type Entry, type EntryOf, type Lane, lastOf, tokenOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";

export interface Outcome {
  readonly tone: "good" | "bad";
  readonly text: string;
}

/** Something that goes wrong, on purpose. */
export interface Experiment {
  readonly id: string;
  readonly title: string;
  /** What should happen, in one sentence. */
  readonly should: () => string;
  /** What the static home cannot do as a real server does. */
  readonly inPage?: string;
  /** Whether it needs somebody who is signed in. */
  readonly run: () => Promise<Outcome>;
}

export const good = (text: string): Outcome => ({ tone: "good", text });
export const bad = (text: string): Outcome => ({ tone: "bad", text });

/** Watches all tabs from now on. */
export function watch() {
  const seen: { entry: Entry; lane: Lane }[] = [];
  const waiting = new Set<() => void>();
  const start = Date.now();
  const undo = lanes.onChange((entry, lane) => {
    if (!entry || !lane) return;
    seen.push({ entry, lane });
    for (const look of waiting) look();
  });
  const all = <Kind extends Entry["kind"]>(kind: Kind, here = false) =>
    seen.filter(({ entry, lane }) => entry.kind === kind && (!here || lane.here)).map(({ entry }) => entry as EntryOf<Kind>);
  return {
    all,
    elapsed: () => Date.now() - start,
    /** Forgets what was seen before the first of that kind. False when there is none. */
    since(kind: Entry["kind"]): boolean {
      const first = seen.findIndex(({ entry }) => entry.kind === kind);
      if (first >= 0) seen.splice(0, first);
      return first >= 0;
    },
    /** Resolves with whether it came to pass in time. */
    until(condition: () => boolean, limit: number): Promise<boolean> {
      return new Promise((resolve) => {
        const finish = (came: boolean) => {
          waiting.delete(look);
          clearTimeout(timer);
          clearInterval(poll);
          resolve(came);
        };
        const look = () => condition() && finish(true);
        const timer = setTimeout(() => finish(condition()), limit);
        const poll = setInterval(look, 200);
        waiting.add(look);
        look();
      });
    },
    stop: undo,
  };
}

export type Watch = ReturnType<typeof watch>;

export const isSignedIn = (): boolean => session().getSnapshot().status === "signed-in";

/** Newer than this, a token that is refused is not renewed at once: a server that sends dead tokens must not be hammered. */
const NEW = 1500;
const SOON = 1000;

/** A refresh is wanted or under way in that tab. */
const isBusy = (lane: Lane): boolean => !["over", undefined].includes(lastOf(lane, "wanted", "sent", "over")?.kind);

/** A call that is refused gets no other token for it: it has only just been renewed. */
export const isNew = ({ at }: EntryOf<"token">, now: number): boolean => now - at < NEW;

/**
 * Waits, for a few seconds at most, until the token is neither new nor being renewed nor about to be, so that what is tried is seen alone.
 * As the lanes tell it: a session knows of a new token before its listeners do.
 */
export async function calm(): Promise<void> {
  for (const end = Date.now() + 8000; Date.now() < end; await pause(50)) {
    const token = tokenOf(lanes.own);
    const due = lastOf(lanes.own, "token", "plan")?.dueAt ?? Infinity;
    const now = Date.now();
    if (token && !isNew(token, now) && due - now > SOON && !lanes.open().some(isBusy)) return;
  }
}

/** Asks for a new token; what comes of it is seen in the lanes. */
export const ask = (): Promise<unknown> =>
  session()
    .refresh()
    .catch(() => undefined);

/** A new token came after the failures so far; with long-lived tokens the next attempt would be minutes away, so it is asked for. */
export async function recovered(watched: Watch, limit: number): Promise<boolean> {
  const { refreshDueAt } = session().getSnapshot();
  const far = refreshDueAt !== null && refreshDueAt - Date.now() > limit / 2;
  if (far) {
    await pause(1500);
    await ask();
  }
  return watched.until(() => !session().getSnapshot().degraded && watched.all("token", true).length > 0, limit);
}

export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? "" : "s"}`;
export const openTabsInWords = (): string => count(lanes.open().length, "tab");
