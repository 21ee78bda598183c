import { SessionError } from "../../src/index.js";
import type { RefreshContext, RefreshStrategy } from "../../src/types/index.js";
import { type Answer, TOKEN_URL } from "./platform/network.js";
import type { Issued } from "./server.js";

/** The refresh grant, without the HTTP library that `oauth2()` uses: what is simulated is everything around it. */
export const tokenStrategy: RefreshStrategy = {
  id: "simulation",
  needsRefreshToken: true,
  takesAudience: true,
  takesDpop: true,
  refresh: (context) => ask(context, context.tokens.refreshToken),
};

/** A back end that keeps the refresh token in a cookie. */
export const cookieStrategy: RefreshStrategy = {
  id: "simulation",
  needsRefreshToken: false,
  takesAudience: true,
  refresh: async (context) => {
    const { refreshToken: _, ...tokens } = await ask(context, "the cookie");
    return tokens;
  },
};

async function ask({ fetch, signal, audience = "", cause }: RefreshContext, body = ""): Promise<Issued> {
  const headers = { audience, cause };
  const { status, tokens, retryAfter } = (await fetch(TOKEN_URL, { method: "POST", body, headers, signal })) as unknown as Answer;
  if (tokens) return tokens;
  if (status === 400) throw new SessionError("rejected", "the server refused to renew", { status });
  throw new SessionError(status === 429 ? "throttled" : "server", `the server answered ${status}`, { status, retryAfter });
}
