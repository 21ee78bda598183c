import { SessionError } from "../errors.js";
import type { RefreshStrategy } from "../types.js";
import { type ExchangeOptions, exchange } from "./exchange.js";

export interface SlidingOptions extends Omit<ExchangeOptions, "refreshTokenField"> {
  /** Exchanges it at least so often, in milliseconds, less up to a fifth by chance. @default ahead of expiry only */
  every?: number;
}

/**
 * A token that is still valid is exchanged, as bearer, for one that ends later: ahead of its expiry, and whenever the app opens. An expired
 * one is never sent: the session has ended with it. Only one that the app signs in with is shown to the server even if it looks expired: the
 * device's clock may be wrong.
 *
 * @throws {TypeError} when an option is wrong.
 */
export function sliding({ every, ...options }: SlidingOptions): RefreshStrategy {
  if (every !== undefined && !(every > 0 && every < Infinity)) throw new TypeError("sliding: every must be milliseconds, above 0");
  const means = { needsRefreshToken: false, needsValidToken: true, renewEvery: every, renewOnOpen: true };
  return exchange("sliding", options, means, ({ accessToken }) => {
    if (!accessToken) throw new SessionError("not-renewable", "there is no token to exchange");
    return { headers: { authorization: `Bearer ${accessToken}` } };
  });
}
