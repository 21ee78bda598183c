import { assertKnown, SessionError } from "../errors.js";
import type { RefreshStrategy } from "../types/index.js";
import { type ExchangeOptions, exchange, OPTIONS } from "./exchange.js";

export interface SlidingOptions extends Omit<ExchangeOptions, "refreshTokenField"> {
  /**
   * The longest time between two exchanges, in milliseconds, above 0. The actual time is up to a fifth shorter, by chance.
   * @default none: the token is exchanged ahead of its expiry only
   */
  every?: number;
}

/**
 * Exchanges a valid access token, sent as bearer, for one that expires later: ahead of its expiry, and when the app opens.
 *
 * The session ends when the token expires, and never sends an expired token. The exception is the token of a sign-in: the server gets it even
 * if it looks expired, since the device's clock may be wrong.
 *
 * @throws {TypeError} when an option is wrong or unknown.
 */
export function sliding({ every, ...options }: SlidingOptions): RefreshStrategy {
  assertKnown("sliding", options, { ...OPTIONS, every });
  if (every !== undefined && !(every > 0 && every < Infinity)) throw new TypeError("sliding: every must be milliseconds, above 0");
  return exchange("sliding", options, {
    needsRefreshToken: false,
    needsValidToken: true,
    repeatable: true,
    renewEvery: every,
    renewOnOpen: true,
    request({ accessToken }) {
      if (!accessToken) throw new SessionError("not-renewable", "there is no token to exchange");
      return { headers: { authorization: `Bearer ${accessToken}` } };
    },
  });
}
