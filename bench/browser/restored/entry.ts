/** What a login has brought. The tokens are of the size that they usually have, and outlive the measurements by days. */
export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly token_type: string;
  readonly scope: string;
}

/** What each file of this folder exports: how a session is kept, and how a page that opens gets it back. */
export interface Restored {
  /** Leaves the session where the library looks for it. */
  seed(tokens: Tokens): Promise<void>;
  /** Restores it in the library's own way. Resolves, once it is there, with the way to call the API. */
  start(): Promise<() => Promise<Response>>;
}

export const PATH = "/api/restored";

export const withBearer = (token: string | undefined) => () => fetch(PATH, { headers: { authorization: `Bearer ${token}` } });

export const expiryOf = ({ expires_in }: Tokens) => Math.floor(Date.now() / 1000) + expires_in;
