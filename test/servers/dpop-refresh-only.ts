import type { IncomingMessage, ServerResponse } from "node:http";
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from "jose";
import { allowOrigins, answerPreflight, listen, readBody, sendJson, serve } from "../../servers/http.js";

/** A request, as the server saw it. Preflights are not in it. */
interface Seen {
  readonly path: string;
  readonly status: number;
  readonly authorization: string | undefined;
  readonly proof: boolean;
}

const SECONDS = 300;

/**
 * An authorization server that binds the refresh token alone (RFC 9449 §5): its access tokens are bearer tokens. Each proof needs its nonce, and
 * a refresh token is good for one renewal. An API beside it takes the bearer. `origin`: the page's.
 */
export async function startRefreshOnly(origin: string) {
  const { http, url, close } = await listen({});
  const nonces = { current: "n-1" };
  const grants = new Map<string, string>();
  const good = new Set<string>();
  const seen: Seen[] = [];

  /** The thumbprint of the key that made the proof, or the error with which it is refused. */
  async function judge({ method, headers, url: path }: IncomingMessage): Promise<{ error: string } | { jkt: string }> {
    try {
      const { payload, protectedHeader } = await jwtVerify(`${headers.dpop}`, EmbeddedJWK, { typ: "dpop+jwt", algorithms: ["ES256"] });
      if (payload.nonce !== nonces.current) return { error: "use_dpop_nonce" };
      if (payload.htm !== method || payload.htu !== url + path) return { error: "invalid_dpop_proof" };
      return { jkt: await calculateJwkThumbprint(protectedHeader.jwk as JWK) };
    } catch {
      return { error: "invalid_dpop_proof" };
    }
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams((await readBody(request)).toString());
    const judged = await judge(request);
    if ("error" in judged) return sendJson(response, 400, judged, { "DPoP-Nonce": nonces.current });
    const presented = form.get("refresh_token");
    if (presented && grants.get(presented) !== judged.jkt) return sendJson(response, 400, { error: "invalid_grant" });
    if (presented) grants.delete(presented);
    const [accessToken, refreshToken] = [crypto.randomUUID(), crypto.randomUUID()];
    grants.set(refreshToken, judged.jkt);
    good.add(accessToken);
    sendJson(response, 200, { access_token: accessToken, refresh_token: refreshToken, token_type: "Bearer", expires_in: SECONDS });
  }

  function me({ headers }: IncomingMessage, response: ServerResponse): void {
    const [, accessToken = ""] = /^Bearer (.+)$/.exec(headers.authorization ?? "") ?? [];
    if (good.has(accessToken)) sendJson(response, 200, { sub: "ada" });
    else sendJson(response, 401, { error: "invalid_token" }, { "WWW-Authenticate": 'Bearer error="invalid_token"' });
  }

  serve(http, [
    async (request: IncomingMessage, response: ServerResponse) => {
      allowOrigins(request, response, [origin], "DPoP-Nonce, WWW-Authenticate");
      if (answerPreflight(request, response)) return true;
      const path = request.url ?? "/";
      await (path === "/token" ? token(request, response) : me(request, response));
      const { authorization, dpop } = request.headers;
      seen.push({ path, status: response.statusCode, authorization: authorization?.split(" ")[0], proof: dpop !== undefined });
      return true;
    },
  ]);
  return { url, close, nonces, seen: () => seen.splice(0) };
}
