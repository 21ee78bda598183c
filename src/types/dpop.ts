import type { Dpop } from "./options.js";

export interface DpopOptions {
  /**
   * Whether the session also takes `token_type: "Bearer"`, for a server that binds the refresh token only (RFC 9449 §5). Such an access token
   * is sent as a bearer. @default false: an answer with a bearer token is an error
   */
  acceptBearer?: boolean;
}

/** The request that a proof is for. */
export interface ProofRequest {
  /** The address of the request. */
  url: string | URL;
  /** @default "GET" */
  method?: string;
  /** The access token that the request carries. @default the session's own */
  accessToken?: string;
}

/** Made by `dpop`, for the option `dpop` of one session. */
export interface DpopProofs extends Dpop {
  /**
   * Returns the key of the next login: the same one in all tabs, before and after its redirect, until a sign-in uses it. The key is not
   * extractable. The login binds its tokens to it; the next `signIn` of a tab takes it.
   * @throws {SessionError} `configuration` where the page has no `crypto.subtle`, as without https.
   * @throws {TypeError} before `createSession` has got this object.
   */
  keyPair(): Promise<CryptoKeyPair>;
  /**
   * Makes the `DPoP` header of one request that does not go through `session.fetch`, such as the upgrade of a WebSocket. Send it with
   * `Authorization: DPoP <token>`. It has the present nonce of that origin. Each proof is good for one request.
   * @throws {SessionError} `signed-out` without a token that is bound to a key.
   * @throws {TypeError} when `url` is no absolute address, and before `createSession` has got this object.
   */
  proof(request: ProofRequest): Promise<string>;
}
