import type { Store } from "../types/environment.js";

/** Storage that answers none of its uses for so long has stopped answering. */
export const HANG_MS = 5000;
/** Storage may only be slow, so the time doubles with each silence, up to this one. */
const LONGEST_HANG_MS = 60_000;

export interface Watch {
  /** Calls `expire` after the page was awake for so many milliseconds. Returns a function that cancels the call. */
  wait(milliseconds: number, expire: () => void): () => void;
  /** Storage has stopped answering. */
  hangs(): void;
  /** Storage answers again. */
  recovered(): void;
}

export interface WatchedStore extends Store {
  /** Waits for no answer to the uses that are under way. */
  forget(): void;
}

/** Watches a store for a silence (R88). */
export function watchedStore(store: Store, { wait, hangs, recovered }: Watch): WatchedStore {
  const underWay = new Set<object>();
  let stop: (() => void) | undefined;
  /** Counts the silences since the last answer. */
  let silences = 0;

  function watch(): void {
    stop?.();
    stop = underWay.size > 0 ? wait(Math.min(HANG_MS * 2 ** silences, LONGEST_HANG_MS), expire) : undefined;
  }

  function forget(): void {
    underWay.clear();
    watch();
  }

  function expire(): void {
    forget();
    silences++;
    hangs();
  }

  /** Begins a use. The function that it returns wraps an answer to that use. */
  function use(): <Answer extends unknown[]>(listener: (...answer: Answer) => void) => (...answer: Answer) => void {
    const mine = {};
    underWay.add(mine);
    if (!stop) watch();
    return (listener) =>
      (...answer) => {
        underWay.delete(mine);
        if (silences > 0 && underWay.size === 0) {
          silences = 0;
          recovered();
        }
        watch();
        listener(...answer);
      };
  }

  return {
    transact(change, done, fail) {
      const answered = use();
      store.transact(change, answered(done), answered(fail));
    },
    read(see, fail) {
      const answered = use();
      store.read(answered(see), answered(fail));
    },
    mark: (mark, done) => store.mark(mark, done),
    close: (leaving) => store.close(leaving),
    forget,
  };
}
