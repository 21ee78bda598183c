export interface ResourceProvider {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwks: URL;
  /** The errors it has answered with. */
  readonly refused: readonly string[];
  /** A refresh token, as if somebody had signed in. */
  signIn(accountId: string): Promise<string>;
  close(): Promise<void>;
}
export function startResourceProvider(resources: readonly string[], clientId: string): Promise<ResourceProvider>;
