import { SessionError } from "../errors.js";
import { accept, ask, type Network, verdictOn } from "./request.js";

export interface Endpoints {
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string | undefined;
}

/**
 * Gets the endpoints from `<issuer>/.well-known/openid-configuration`, once for each page that needs them. The document must name this issuer
 * (OpenID Connect Discovery §4.3). An endpoint may be http only if the issuer is. Any failure means "not now".
 */
export function createDiscovery(issuer: string): (network: Network) => Promise<Endpoints> {
  let known: Endpoints | undefined;

  return async (network) => {
    if (known) return known;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    try {
      const answer = await ask(url, {}, network);
      // A refusal of this document is no refusal of the session.
      const found = accept(answer, verdictOn(answer) === "refreshed" ? "refreshed" : "not-now").json as Record<string, unknown>;
      const { token_endpoint: tokenEndpoint, revocation_endpoint: revocationEndpoint } = found;
      if (found.issuer !== issuer || !isSafe(tokenEndpoint) || (revocationEndpoint !== undefined && !isSafe(revocationEndpoint)))
        throw new SessionError("invalid-response", "the document names another issuer, or no usable endpoints");
      known = { tokenEndpoint, revocationEndpoint };
      return known;
    } catch (error) {
      // The refresh token was not in this request.
      throw Object.assign(error as Error, { lost: false, message: `discovery at ${url}: ${(error as Error).message}` });
    }
  };

  function isSafe(url: unknown): url is string {
    return typeof url === "string" && (url.startsWith("https://") || (issuer.startsWith("http:") && url.startsWith("http://")));
  }
}
