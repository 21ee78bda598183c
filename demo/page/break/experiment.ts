import { pause } from "../dom.js";
import { session } from "../session/current.js";
import { type Entry, type EntryOf, type Lane, lastOf, tokenOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";

export interface Outcome {
  readonly tone: "good" | "bad";
  readonly text: string;
}

/** A failure that the visitor causes by a button. */
export interface Experiment {
  readonly id: string;
  readonly title: string;
  /** The expected outcome, in one sentence. */
  readonly should: () => string;
  /** The difference between the static home and a real server. */
  readonly inPage?: string;
  /** Causes the failure, and describes its outcome. */
  readonly run: () => Promise<Outcome>;
}

export const good = (text: string): Outcome => ({ tone: "good", text });
export const bad = (text: string): Outcome => ({ tone: "bad", text });

/** Collects the entries of all tabs from now on. */
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
    /** Forgets the entries before the first one of this kind. Returns false when there is none. */
    since(kind: Entry["kind"]): boolean {
      const first = seen.findIndex(({ entry }) => entry.kind === kind);
      if (first >= 0) seen.splice(0, first);
      return first >= 0;
    },
    /** Resolves with true when the condition holds, and with false after `limit` milliseconds. */
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

/** Waits until every tab is signed out. */
export const outEverywhere = (watched: Watch): Promise<boolean> =>
  watched.until(() => watched.all("signed out").length >= lanes.open().length, 8000);

export const isSignedIn = (): boolean => session().getSnapshot().status === "signed-in";

/** Milliseconds. The session waits before it renews a refused token that is newer, so that it does not hammer the server. */
const NEW = 1500;
const SOON = 1000;

/** Whether the tab wants or makes a refresh. */
const isBusy = (lane: Lane): boolean =>
  !["refresh-settled", undefined].includes(lastOf(lane, "refresh-wanted", "refresh-started", "refresh-settled")?.kind);

/** Whether a refused call with this token would wait for the next token. */
export const isNew = ({ at }: EntryOf<"token">, now: number): boolean => now - at < NEW;

/**
 * Waits until the token is not new, no tab renews it, and no renewal is due soon, so that no other renewal disturbs the experiment. Gives up
 * after 8 seconds. The lanes count, not the session: a session has a new token before its listeners hear of it.
 */
export async function calm(): Promise<void> {
  for (const end = Date.now() + 8000; Date.now() < end; await pause(50)) {
    const token = tokenOf(lanes.own);
    const due = lastOf(lanes.own, "token", "plan")?.dueAt ?? Infinity;
    const now = Date.now();
    if (token && !isNew(token, now) && due - now > SOON && !lanes.open().some(isBusy)) return;
  }
}

/** Asks for a new token. The lanes show the outcome. */
export const ask = (): Promise<unknown> =>
  session()
    .refresh()
    .catch(() => undefined);

/** Waits for a new token after a failure. With long-lived tokens the next attempt is minutes away, so the function asks for one. */
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
