import type { TokenResponse, Tokens } from "../../src/index.js";
import { at } from "./place.js";
import type { Way } from "./session/ways.js";

/** The control endpoints of the demo's server. They need no token, so the page calls them with the plain `fetch`. */

export interface TokenFault {
  kind: "down" | "throttled" | "hang" | "cut-answer";
  retryAfterSeconds?: number;
  times?: number;
}

export interface ServerState {
  stats: {
    refreshes: number;
    attempts: number;
    reused: number;
    revoked: number;
    apiOk: number;
    apiUnauthorized: number;
    events: { at: number; kind: string; session?: number }[];
  };
  faults: { token: { kind: string } | null; api: { kind: string } | null };
  settings: { accessTokenSeconds: number; reuseGraceSeconds: number };
}

/** Some ways name the access token `token`, others `accessToken`. */
interface OwnAnswer {
  token?: string;
  accessToken?: string;
  refreshToken?: string;
}

const call = (path: string, body?: unknown): Promise<ServerState> => ask(`control/${path}`, body);

async function ask<Answer>(path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(at(path), body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.json();
}

export const server = {
  state: () => call("state"),
  settings: (settings: Partial<ServerState["settings"]>) => call("settings", settings),
  tokenFault: (token: TokenFault | null) => call("faults", { token }),
  refuseCalls: (refuse: boolean) => call("faults", { api: refuse ? { kind: "unauthorized" } : null }),
  expireAccessTokens: () => call("expire-access-tokens", {}),
  revoke: (subject: string) => call("revoke", { subject }),
  /**
   * Signs a user in, as a login page would: by a token response, or by the answer of the server's own way. `jkt`: the thumbprint of the key
   * to which the tokens are to be bound.
   */
  async signIn(subject: string, { folder }: Way, jkt?: string): Promise<Tokens> {
    if (folder === "") return ask<TokenResponse>("control/sign-in", { subject, jkt });
    const { token, accessToken = token, refreshToken } = await ask<OwnAnswer>(`${folder}sign-in`, { user: subject });
    return { accessToken: accessToken as string, ...(refreshToken !== undefined && { refreshToken }) };
  },
};
