import type { TokenSet } from "../types/index.js";
import type { Grants } from "./grants.js";
import type { Requests } from "./protocol.js";
import type { AuthorizationServer } from "./server.js";

/** The most codes whose answers are kept. */
const MOST_CODES = 10;

/**
 * Makes the function that exchanges the code of a login, once: a server may end the session when a code comes twice, as from a component that is
 * mounted twice.
 */
export function createExchange(server: AuthorizationServer, grants: Grants): (request: Requests["exchange"]) => Promise<TokenSet> {
  /** The answers by their codes. */
  const answers = new Map<string, Promise<TokenSet>>();

  async function exchange({ code, codeVerifier, redirectUri }: Requests["exchange"]): Promise<TokenSet> {
    const { refreshToken, ...tokens } = await server.redeem({
      grant_type: "authorization_code",
      code,
      ...(codeVerifier && { code_verifier: codeVerifier }),
      ...(redirectUri && { redirect_uri: redirectUri }),
    });
    return { ...tokens, refreshToken: refreshToken && grants.add(refreshToken) };
  }

  return (request) => {
    const { code } = request;
    const known = answers.get(code);
    if (known) return known;
    const answer = exchange(request);
    answers.set(code, answer);
    for (const oldest of answers.keys()) if (answers.size > MOST_CODES) answers.delete(oldest);
    answer.catch(() => answers.delete(code));
    return answer;
  };
}
