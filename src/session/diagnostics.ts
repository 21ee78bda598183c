import type { Environment } from "../platform/environment.js";
import type { DebugEvent } from "../types.js";
import type { Events } from "./events.js";

/** What the developer gets to know; a token is never in it. */
export interface Diagnostics {
  /** One decision, for whoever listens to `debug`. Told when it is safe to run code of the app's. */
  debug(type: string, details?: Record<string, unknown>): void;
  /** Once for each problem, however many tokens have it. */
  complain(problem: string, error?: unknown): void;
}

export function createDiagnostics(environment: Environment, tab: string, events: Pick<Events<{ debug: DebugEvent }>, "emit">): Diagnostics {
  const warned = new Set<string>();
  return {
    debug: (type, details) => events.emit("debug", { ...details, type, at: environment.now(), tab }),
    complain(problem, error) {
      if (!warned.has(problem)) environment.report(problem, error);
      warned.add(problem);
    },
  };
}
