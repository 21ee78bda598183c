import type { Environment } from "../platform/environment.js";
import type { DebugEvent } from "../types.js";

/** What the developer gets to know; a token is never in it. */
export interface Diagnostics {
  /** One decision, for the `debug` option. Told when it is safe to run code of the app's. */
  debug(type: string, details?: Record<string, unknown>): void;
  /** Once for each problem, however many tokens have it. */
  complain(problem: string, error?: unknown): void;
}

export function createDiagnostics(
  environment: Environment,
  tab: string,
  listener: ((event: DebugEvent) => void) | undefined,
  enqueue: (task: () => void) => void,
): Diagnostics {
  const warned = new Set<string>();
  return {
    debug(type, details) {
      if (!listener) return;
      const event = { ...details, type, at: environment.now(), tab };
      enqueue(() => {
        try {
          listener(event);
        } catch {
          // Documented: what the hook throws is ignored.
        }
      });
    },
    complain(problem, error) {
      if (!warned.has(problem)) environment.report(problem, error);
      warned.add(problem);
    },
  };
}
