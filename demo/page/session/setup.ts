import type { RefreshStrategy, SessionOptions } from "../../../src/index.js";
import { type Config, graceOf } from "../config.js";
import type { Call } from "./call.js";
import { wayOf } from "./ways.js";

/** The options of `createSession` that the page shows. */
export interface Setup {
  readonly refresh: Call<RefreshStrategy>;
  readonly expiryClaim?: string;
  readonly classify?: Call<NonNullable<SessionOptions["classify"]>>;
  readonly refreshTimeout: number;
  readonly takeoverAfter: number;
  readonly reuseGrace?: number;
}

/** Milliseconds. The times are shorter than the defaults, so that a visitor does not wait long for a server that hangs. */
const REFRESH_TIMEOUT = 4000;
const TAKEOVER_AFTER = 12_000;

export function setupOf(chosen: Config): Setup {
  const grace = graceOf(chosen);
  return {
    ...wayOf(chosen.way).setup,
    refreshTimeout: REFRESH_TIMEOUT,
    takeoverAfter: TAKEOVER_AFTER,
    ...(grace > 0 && { reuseGrace: grace * 1000 }),
  };
}

export function optionsOf({ refresh, classify, ...rest }: Setup): SessionOptions {
  return { ...rest, refresh: refresh.make(), ...(classify && { classify: classify.make() }) };
}
