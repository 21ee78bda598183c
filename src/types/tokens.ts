/** The claims of a JWT. The session reads them and never verifies them: a browser has no key that it could trust for a check. */
export type Claims = Record<string, unknown>;

/** The tokens of one session: the members of an RFC 6749 §5.1 response, in camel case. */
export interface TokenSet {
  /** A JWT or an opaque token, sent as `Authorization: Bearer …`. It is absent only where the strategy has `accessTokenInCookie`. */
  accessToken?: string | undefined;
  /**
   * May contain spaces (RFC 6749 §A.17). When a response omits it, the session keeps the previous one (RFC 6749 §6).
   * The session also keeps a refresh token that comes without a usable access token.
   */
  refreshToken?: string | undefined;
  /**
   * Lifetime of the access token in **seconds**, above 0. The session reports a value that it cannot read.
   * Without `expiresIn` and without a readable `exp` claim, only a 401 causes a refresh.
   */
  expiresIn?: number | undefined;
  /** **Seconds** until the server ends the session, however often the session renews. A later response may change it. @default unknown */
  sessionExpiresIn?: number | undefined;
  /** The session accepts `Bearer` only, or `DPoP` with the option `dpop`; in upper or lower case. @default "Bearer" */
  tokenType?: string | undefined;
  /**
   * With the option `dpop`: the key to which the login bound its tokens, if it is not that of `keyPair()`. The curve is P-256, and the private
   * key is not extractable. Only `signIn` reads it.
   */
  dpopKeyPair?: CryptoKeyPair | undefined;
  /**
   * The id token of OpenID Connect. The snapshot has its claims when the access token is opaque.
   * The session reports a value that is not a token, and drops it.
   */
  idToken?: string | undefined;
  /** The scope that the server granted (RFC 6749 §3.3). */
  scope?: string | undefined;
}

/** An RFC 6749 §5.1 response, as the token endpoint sent it. The session ignores further members. */
export interface TokenResponse {
  access_token: string;
  refresh_token?: string | undefined;
  /** Seconds. Some servers send a string. */
  expires_in?: number | string | undefined;
  /** Seconds until the server ends the session; see `sessionExpiresIn` of {@link TokenSet}. */
  session_expires_in?: number | string | undefined;
  token_type?: string | undefined;
  id_token?: string | undefined;
  scope?: string | undefined;
}

/** Tokens for `signIn`, or from a refresh function: a response as it came, a {@link TokenSet}, or a bare access token. */
export type Tokens = TokenSet | TokenResponse | string;

/** The answer of a login. The strategy knows its member names. It is neither a `Response` nor a promise. */
export type LoginAnswer = Record<string, unknown> | (object & { json?: never; then?: never });
