import type { TokenSet } from "../types/index.js";
import { type Grants, handleOf } from "./grants.js";
import type { Requests } from "./protocol.js";
import type { AuthorizationServer } from "./server.js";

/**
 * Makes the function that exchanges the code of a login, once: a server may end the session when a code comes twice, as from a component that is
 * mounted twice.
 */
export function createExchange(server: AuthorizationServer, grants: Grants): (request: Requests["exchange"]) => Promise<TokenSet> {
  /** The last code, and its answer. */
  let last: { readonly code: string; readonly answer: Promise<TokenSet> } | undefined;

  async function exchange({ code, codeVerifier, redirectUri }: Requests["exchange"]): Promise<TokenSet> {
    const { refreshToken, ...tokens } = await server.redeem({
      grant_type: "authorization_code",
      code,
      ...(codeVerifier && { code_verifier: codeVerifier }),
      ...(redirectUri && { redirect_uri: redirectUri }),
    });
    return { ...tokens, refreshToken: refreshToken && handleOf(grants.add(refreshToken)) };
  }

  return (request) => {
    if (last?.code === request.code) return last.answer;
    const answer = exchange(request);
    last = { code: request.code, answer };
    answer.catch(() => {
      last = undefined;
    });
    return answer;
  };
}
