import { SessionError } from "../errors.js";
import { accept, ask, verdictOn } from "./request.js";

export interface Endpoints {
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string | undefined;
}

/**
 * What `<issuer>/.well-known/openid-configuration` says, asked for once for each page that needs it. Believed only if it is about this very
 * issuer (OpenID Connect Discovery §4.3), and if no endpoint is less protected than that. Any failure means "not now".
 */
export function createDiscovery(issuer: string): (fetch: typeof globalThis.fetch, signal?: AbortSignal) => Promise<Endpoints> {
  let known: Endpoints | undefined;

  return async (fetch, signal) => {
    if (known) return known;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const answer = await ask({ url, init: {}, signal, fetch });
    // Whatever is said about this document, it is not about the session.
    const found = accept(answer, verdictOn(answer) === "refreshed" ? "refreshed" : "not-now").json as Record<string, unknown>;
    const { token_endpoint: tokenEndpoint, revocation_endpoint: revocationEndpoint } = found;
    if (found.issuer !== issuer || !isSafe(tokenEndpoint) || (revocationEndpoint !== undefined && !isSafe(revocationEndpoint)))
      throw new SessionError("invalid-response", `${url} is not about this issuer, or has no usable endpoints`);
    known = { tokenEndpoint, revocationEndpoint };
    return known;
  };

  function isSafe(url: unknown): url is string {
    return typeof url === "string" && (url.startsWith("https://") || (issuer.startsWith("http:") && url.startsWith("http://")));
  }
}
