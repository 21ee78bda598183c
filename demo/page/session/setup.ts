import type { DpopProofs, RefreshStrategy, SessionOptions } from "../../../src/index.js";
import { type Config, graceOf } from "../config.js";
import type { Call } from "./call.js";
import { wayOf } from "./ways.js";

/** The options of `createSession` that the page shows. */
export interface Setup {
  readonly refresh: Call<RefreshStrategy>;
  readonly dpop?: Call<DpopProofs>;
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
  const { dpop, ...setup } = wayOf(chosen.way).setup;
  return {
    ...setup,
    // The comparison keeps everything in localStorage, which takes no key.
    ...(dpop && !chosen.compare && { dpop }),
    refreshTimeout: REFRESH_TIMEOUT,
    takeoverAfter: TAKEOVER_AFTER,
    ...(grace > 0 && { reuseGrace: grace * 1000 }),
  };
}

/** Whether the tokens are bound to a key. */
export const isBound = (chosen: Config): boolean => setupOf(chosen).dpop !== undefined;

/** `proofs`: made by the `dpop` of the set-up. */
export function optionsOf({ refresh, dpop: _, classify, ...rest }: Setup, proofs: DpopProofs | undefined): SessionOptions {
  return { ...rest, refresh: refresh.make(), ...(proofs && { dpop: proofs }), ...(classify && { classify: classify.make() }) };
}
