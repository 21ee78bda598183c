import { SessionError } from "../errors.js";
import type { TokenSet } from "../types/index.js";
import { aged, type Clocks, type Instant, instantIn } from "./answer.js";
import type { Grants } from "./grants.js";
import type { Requests } from "./protocol.js";
import type { AuthorizationServer } from "./server.js";

/** The most codes that are known. */
const MOST_CODES = 10;

interface Exchange {
  /** The members of the request but the code. Script that knows only the code gets no answer. */
  readonly proof: string;
  readonly sent: Instant;
  readonly answer: Promise<TokenSet>;
}

/**
 * Makes the function that exchanges the code of a login, once: a server may end the session when a code comes twice, as from a component that is
 * mounted twice. The same request gets the same answer for a minute, unless its session has been revoked. After that, the code is refused.
 */
export function createExchange(
  server: AuthorizationServer,
  grants: Grants,
  clocks: Clocks,
): (request: Requests["exchange"]) => Promise<TokenSet> {
  /** By their codes. */
  const exchanges = new Map<string, Exchange>();

  async function exchange({ code, codeVerifier, redirectUri }: Requests["exchange"]): Promise<TokenSet> {
    const { refreshToken, ...tokens } = await server.redeem({
      grant_type: "authorization_code",
      code,
      ...(codeVerifier && { code_verifier: codeVerifier }),
      ...(redirectUri && { redirect_uri: redirectUri }),
    });
    return { ...tokens, refreshToken: refreshToken && grants.add(refreshToken) };
  }

  async function again({ proof, sent, answer }: Exchange, asked: string): Promise<TokenSet> {
    const tokens = proof === asked ? aged(await answer, sent, clocks) : undefined;
    if (!tokens || (tokens.refreshToken && !grants.find(tokens.refreshToken)))
      throw new SessionError("rejected", "exchangeCode: the code has been used; begin another login");
    return tokens;
  }

  return (request) => {
    const { code, codeVerifier, redirectUri } = request;
    const proof = JSON.stringify([codeVerifier, redirectUri]);
    const known = exchanges.get(code);
    if (known) return again(known, proof);
    const sent = instantIn(clocks);
    const answer = exchange(request);
    exchanges.set(code, { proof, sent, answer });
    for (const oldest of exchanges.keys()) if (exchanges.size > MOST_CODES) exchanges.delete(oldest);
    answer.catch(() => exchanges.delete(code));
    return answer;
  };
}
