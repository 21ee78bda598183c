import type { Lock } from "../tabs/lock.js";
import type { Environment } from "../types/environment.js";
import type { SessionEvents } from "../types/index.js";
import { createEvents, type Events } from "./events.js";

/** The events of a session, and the change of its snapshot. */
export type SessionEventMap = SessionEvents & { change: undefined };

/** Tells the app its events, and the developer the problems. Neither contains a token. */
export interface Reporter extends Omit<Events<SessionEventMap>, "flush"> {
  /** Puts one decision in line, for listeners to `debug`. */
  debug(type: string, details?: Record<string, unknown>): void;
  /** Reports each problem once, however many tokens have it. */
  warnOnce(problem: string, error?: unknown): void;
  /** Delivers the queue, unless this tab holds the lock. `now`: delivers it in any case, since a call of the app ends here. */
  flush(now?: boolean): void;
}

export function createReporter(environment: Environment, tab: string, lock: Lock): Reporter {
  const events = createEvents<SessionEventMap>(environment.report);
  const warned = new Set<string>();
  return {
    ...events,
    debug: (type, details) => events.emit("debug", { ...details, type, at: environment.now(), tab }),
    warnOnce(problem, error) {
      if (!warned.has(problem)) environment.report(problem, error);
      warned.add(problem);
    },
    flush(now) {
      if (now || !lock.holding) events.flush();
    },
  };
}
