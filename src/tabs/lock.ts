import { aborted } from "../platform/timers.js";
import type { Environment } from "../types/environment.js";

/**
 * Queues the tabs, and tells a dead holder from a stuck one. The lock does not keep two tabs from refreshing at once: the lease in the ledger
 * does. Without Web Locks, as on insecure origins, there is the lease alone. See docs/decisions/0002-the-lease-excludes-the-lock-queues.md.
 */
export interface Lock {
  /** Whether the browser frees the lock of a tab that has closed. */
  readonly available: boolean;
  /**
   * Runs `work` while this tab holds the lock. Resolves with undefined when the browser does not grant the lock within `limit` milliseconds,
   * or before `signal` aborts. `steal`: takes the lock from a stuck holder, whose own work goes on.
   */
  hold<T>(work: () => Promise<T>, limit: number, signal: AbortSignal, steal: boolean): Promise<T | undefined>;
  /** Whether work of this tab runs under the lock. Then no code of the app may run. */
  readonly holding: boolean;
  /** Counts the departures of the page. If the number has changed since the grant, this tab no longer holds the lock. */
  readonly departures: number;
  /**
   * Releases the lock although `work` goes on, and stops all waits for it, since the page is leaving or being frozen. Chromium keeps the locks
   * of a page in its back/forward cache, so the waiting tabs would starve.
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
  let held = 0;
  /** The functions that end the waits and the holds under way. */
  const stops = new Set<() => void>();

  return {
    get holding() {
      return held > 0;
    },
    get departures() {
      return departures;
    },
    get available() {
      return available;
    },
    async hold(task, limit, signal, steal) {
      const work = () => {
        held++;
        return task().finally(() => held--);
      };
      let running: ReturnType<typeof task> | undefined;
      if (away) return running;
      if (available && locks) {
        const waiting = new AbortController();
        const stop = () => waiting.abort();
        const timer = environment.setTimeout(stop, limit);
        signal.addEventListener("abort", stop);
        stops.add(stop);
        const waited = () => {
          environment.clearTimeout(timer);
          signal.removeEventListener("abort", stop);
        };
        const granted = () => {
          waited();
          if (waiting.signal.aborted) return undefined;
          running = work();
          return Promise.race([running.catch(() => {}), aborted(waiting.signal)]);
        };
        try {
          await locks.request(name, steal ? { steal } : { signal: waiting.signal }, granted);
        } catch (error) {
          // With `running`, another tab stole the lock, and the work goes on. After an abort, or with one of these two names, the browser did
          // not grant the lock in time, or the page is leaving. Any other error means that there are no locks: a sandboxed frame rejects all.
          if (!running) available &&= waiting.signal.aborted || ["AbortError", "InvalidStateError"].includes((error as Error).name);
        } finally {
          waited();
          stops.delete(stop);
        }
        if (available || running) return running;
      }
      return signal.aborted ? undefined : work();
    },
    leave() {
      away = true;
      departures++;
      for (const stop of stops) stop();
    },
    comeBack() {
      away = false;
    },
  };
}
