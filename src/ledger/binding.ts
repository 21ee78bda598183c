/** The key to which the tokens are bound, and what its next proof for the token endpoint needs. */
export interface Binding {
  readonly keyPair: CryptoKeyPair;
  /** How the access token is sent. */
  readonly scheme: "DPoP" | "Bearer";
  /** The last nonce of the authorization server, and its origin. */
  readonly nonce?: { readonly origin: string; readonly value: string } | undefined;
  /** The milliseconds by which the server's clock is ahead of this device's, once a server has refused a proof for its time. @default 0 */
  readonly skew?: number | undefined;
}
