import { deadline } from "../platform/timers.js";
import type { Client } from "../strategies/oauth2.js";
import type { Network } from "../strategies/request.js";
import { parseTokens } from "../token/parse.js";
import type { Environment } from "../types/environment.js";
import type { TokenSet } from "../types/index.js";

/** The used part of the environment of a worker. */
export type NetworkEnvironment = Pick<Environment, "monotonic" | "setTimeout" | "clearTimeout" | "fetch" | "origin">;

/** The authorization server, as the worker sees it. */
export interface AuthorizationServer {
  /**
   * Redeems a grant for tokens. It waits for `patience` milliseconds. `rescued` gets the refresh token of an answer that is of no other use.
   *
   * @throws {SessionError} as `oauth2` does
   */
  redeem(form: Readonly<Record<string, string>>, patience?: number, rescued?: TokenSet): Promise<TokenSet>;
  /** Tells the server that the refresh token is of no use any more. Never awaited. */
  revoke(refreshToken: string): void;
}

/** The time for which the worker waits for the server where the page does not say it, in milliseconds. */
const ANSWER_WAIT_MS = 30_000;

export function createServer(client: Client, environment: NetworkEnvironment): AuthorizationServer {
  /** Calls `send` with a network that ends its requests after `patience` milliseconds. */
  async function withNetwork<T>(send: (network: Network) => Promise<T>, patience = ANSWER_WAIT_MS): Promise<T> {
    const controller = new AbortController();
    const stop = deadline(environment, environment.monotonic() + patience, () => controller.abort());
    try {
      return await send({ fetch: environment.fetch, origin: environment.origin, signal: controller.signal });
    } finally {
      stop();
    }
  }

  return {
    async redeem(form, patience, rescued) {
      return parseTokens(await withNetwork((network) => client.redeem(form, network), patience), { rescued });
    },
    revoke(refreshToken) {
      withNetwork(async (network) => client.revoke?.(refreshToken, network)).catch(() => {});
    },
  };
}
