import { assertKnown } from "../errors.js";
import type { RefreshStrategy, TokenSet } from "../types/index.js";
import { type ExchangeOptions, exchange, OPTIONS } from "./exchange.js";

export interface TokenPairOptions extends ExchangeOptions {
  /**
   * Makes the body, which is sent as JSON. It is required when both tokens have the same name in the answer.
   * @default both tokens, by their names in the answer: the last part of a path
   */
  body?: (tokens: Readonly<TokenSet>) => unknown;
}

/**
 * Posts the access token, which may have expired, and the refresh token as JSON, and gets new ones: a JWT with a single-use value, or two JWTs.
 * With `accessTokenField: null` and `credentials: "include"`, the server keeps the access token in a cookie.
 *
 * @throws {TypeError} when an option is wrong or unknown.
 */
export function tokenPair({ body, ...options }: TokenPairOptions): RefreshStrategy {
  assertKnown("tokenPair", options, { ...OPTIONS, refreshTokenField: 0, body });
  const { accessTokenField = "accessToken", refreshTokenField = "refreshToken" } = options;
  const named = (path: string) => path.slice(path.lastIndexOf(".") + 1);
  if (!body && accessTokenField && named(accessTokenField) === named(refreshTokenField))
    throw new TypeError(`tokenPair: both tokens would be posted as ${named(refreshTokenField)}; give body`);
  const both = ({ accessToken, refreshToken }: Readonly<TokenSet>) => ({
    ...(accessTokenField && { [named(accessTokenField)]: accessToken }),
    [named(refreshTokenField)]: refreshToken,
  });
  return exchange("tokenPair", options, {
    needsRefreshToken: true,
    request: (tokens) => ({ body: JSON.stringify((body ?? both)(tokens)), headers: { "content-type": "application/json" } }),
  });
}
