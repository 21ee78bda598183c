import type { RefreshStrategy, TokenSet } from "../types.js";
import { type ExchangeOptions, exchange } from "./exchange.js";

export interface TokenPairOptions extends ExchangeOptions {
  /** What is posted, as JSON. @default both tokens, named as in the answer: the last part of a path */
  body?: (tokens: Readonly<TokenSet>) => unknown;
}

/**
 * An access token that may have expired and a refresh token, posted as JSON and answered by new ones: a JWT with a single-use value, or two
 * JWTs. With `accessTokenField: null` and `credentials: "include"` the server keeps the access token in a cookie.
 *
 * @throws {TypeError} when an option is wrong.
 */
export function tokenPair({ body, ...options }: TokenPairOptions): RefreshStrategy {
  const { accessTokenField = "accessToken", refreshTokenField = "refreshToken" } = options;
  const named = (path: string) => path.slice(path.lastIndexOf(".") + 1);
  const both = ({ accessToken, refreshToken }: Readonly<TokenSet>) => ({
    ...(accessTokenField && { [named(accessTokenField)]: accessToken }),
    [named(refreshTokenField)]: refreshToken,
  });
  return exchange("tokenPair", options, { needsRefreshToken: true }, (tokens) => ({
    body: JSON.stringify((body ?? both)(tokens)),
    headers: { "content-type": "application/json" },
  }));
}
