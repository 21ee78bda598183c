import { SessionError } from "../../src/index.js";
import type { RefreshStrategy } from "../../src/types.js";
import { type Answer, TOKEN_URL } from "./platform/network.js";
import type { Issued } from "./server.js";

/** The refresh grant, without the HTTP library that `oauth2()` uses: what is simulated is everything around it. */
export const tokenStrategy: RefreshStrategy = {
  id: "simulation",
  needsRefreshToken: true,
  refresh: async ({ tokens, signal, fetch }) => {
    const { accessToken, refreshToken, expiresIn } = await ask(fetch, signal, tokens.refreshToken);
    return { accessToken, refreshToken, expiresIn };
  },
};

/** A back end that keeps the refresh token in a cookie. */
export const cookieStrategy: RefreshStrategy = {
  id: "simulation",
  needsRefreshToken: false,
  refresh: async ({ signal, fetch }) => {
    const { accessToken, expiresIn } = await ask(fetch, signal, "the cookie");
    return { accessToken, expiresIn };
  },
};

async function ask(fetch: typeof globalThis.fetch, signal: AbortSignal, body: string | undefined): Promise<Issued> {
  const { status, tokens, retryAfter } = (await fetch(TOKEN_URL, { method: "POST", body: body ?? "", signal })) as unknown as Answer;
  if (tokens) return tokens;
  if (status === 400) throw new SessionError("rejected", "the server refused to renew", { status });
  throw new SessionError(status === 429 ? "throttled" : "server", `the server answered ${status}`, { status, retryAfter });
}
