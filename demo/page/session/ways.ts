import { oauth2, type RefreshStrategy, type SessionOptions } from "../../../src/index.js";
import { at } from "../place.js";

/** A way of renewing: what is passed to `createSession`, and the same as text. */
export interface Way {
  readonly title: string;
  readonly summary: string;
  /** The names to import, besides `createSession`. */
  readonly imports: readonly string[];
  readonly strategy: () => RefreshStrategy;
  readonly options?: Partial<SessionOptions>;
  /** `refresh: …`, and what else the options hold. */
  readonly code: readonly string[];
  /** Whether script can read something that renews. */
  readonly stealable: boolean;
}

const endpoint = at("oauth/token");
const revocation = at("oauth/revoke");

export const ways: Record<string, Way> = {
  oauth2: {
    title: "OAuth 2",
    summary: "A refresh token that can be used once, exchanged at the token endpoint.",
    imports: ["oauth2"],
    strategy: () => oauth2({ tokenEndpoint: endpoint, revocationEndpoint: revocation, clientId: "tokentide-demo" }),
    code: [
      "refresh: oauth2({",
      `  tokenEndpoint: ${JSON.stringify(endpoint)},`,
      `  revocationEndpoint: ${JSON.stringify(revocation)},`,
      '  clientId: "tokentide-demo",',
      "}),",
    ],
    stealable: true,
  },
};

export const wayOf = (name: string): Way => ways[name] ?? (ways.oauth2 as Way);
