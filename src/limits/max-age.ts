import type { LedgerRecord } from "../ledger/record.js";
import type { SessionContext } from "../session/context.js";
import { suspect } from "../token/lifetime.js";
import type { MaxAge } from "../types/index.js";
import { createLimits } from "./limits.js";

/** The members of a `maxAge` that only a session uses. */
export interface MaxAgePlugin extends MaxAge {
  readonly option: "maxAge";
  readonly createLimits: typeof createLimits;
  /** Tells the developer of milliseconds that look like seconds. */
  connect(context: Pick<SessionContext, "environment">): void;
  /** Returns the end of the session by the app's limit or the server's. Activity does not move it. */
  endsAt(record: LedgerRecord): number;
}

/**
 * Makes the option `maxAge`: the session ends, with the reason `max-age`, so many milliseconds after the sign-in, and at the end that the
 * server gave (`sessionExpiresIn`). Renewals and reloads do not prolong it. All tabs need the same limit.
 *
 * @param milliseconds - From the sign-in to the end, at least 1. Without it, the server's end alone counts.
 * @throws {TypeError} when it is no number of milliseconds.
 */
export function maxAge(milliseconds = Infinity): MaxAge {
  if (!(typeof milliseconds === "number" && milliseconds >= 1)) throw new TypeError("maxAge: expected milliseconds, at least 1");
  const plugin: MaxAgePlugin = {
    option: "maxAge",
    createLimits,
    connect: ({ environment }) => suspect({ maxAge: milliseconds }, environment.report),
    endsAt: ({ signedInAt, endsAt = Infinity }) => Math.min(signedInAt + milliseconds, endsAt),
  };
  return plugin;
}
