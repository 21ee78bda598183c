import type { Environment } from "../platform/environment.js";

/**
 * Queues the tabs, and tells a dead holder from a stuck one. It is not what keeps two tabs from refreshing at once: that is the mark in
 * the ledger, which is set by compare-and-set. Without Web Locks (insecure origins have none) the mark has to do alone.
 */
export interface Lock {
  /** Whether a holder that is gone is known to be gone. */
  readonly available: boolean;
  /**
   * Runs `work` while holding the lock, or returns `undefined` when it was not granted within `limit` milliseconds or before `signal`
   * aborted. `steal` takes it from a holder that does not move; the holder's own work runs on.
   */
  hold<T>(work: () => Promise<T>, limit: number, signal: AbortSignal, steal: boolean): Promise<T | undefined>;
  /** How often the page has left: another number than before the lock was granted means that it is no longer held. */
  readonly departures: number;
  /**
   * The page is leaving or being frozen: lets others have the lock although `work` goes on, and stops asking for it. Chromium keeps the
   * locks of a page in its back/forward cache, and starves all who wait.
   */
  leave(): void;
  /** The page is back. */
  comeBack(): void;
}

export function createLock(environment: Environment, name: string): Lock {
  const locks = environment.locks;
  let available = typeof locks?.request === "function";
  let away = false;
  let departures = 0;
  /** What ends the waits and the holds that are under way. */
  const freeing = new Set<() => void>();

  return {
    get departures() {
      return departures;
    },
    get available() {
      return available;
    },
    async hold(work, limit, signal, steal) {
      let running: ReturnType<typeof work> | undefined;
      if (away) return undefined;
      if (available && locks) {
        const waiting = new AbortController();
        const stop = () => waiting.abort();
        const timer = environment.setTimeout(stop, limit);
        signal.addEventListener("abort", stop);
        let free = stop;
        const leave = () => free();
        freeing.add(leave);
        const granted = () => {
          environment.clearTimeout(timer);
          if (waiting.signal.aborted) return undefined;
          running = work();
          const released = new Promise<void>((resolve) => {
            free = resolve;
          });
          return Promise.race([running.catch(() => {}), released]);
        };
        try {
          await locks.request(name, steal ? { steal } : { signal: waiting.signal }, granted);
        } catch (error) {
          // Stolen while we worked: the work goes on. Not granted in time, or the page is on its way out: that is the answer. Else there are
          // no locks here: a sandboxed frame has `request`, and rejects each one.
          const passing = waiting.signal.aborted || ["AbortError", "InvalidStateError"].includes((error as Error).name);
          if (!running && !passing) available = false;
        } finally {
          environment.clearTimeout(timer);
          signal.removeEventListener("abort", stop);
          freeing.delete(leave);
        }
        if (available || running) return running;
      }
      return signal.aborted ? undefined : work();
    },
    leave() {
      away = true;
      departures++;
      for (const free of freeing) free();
    },
    comeBack() {
      away = false;
    },
  };
}
