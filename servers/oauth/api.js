import { takeFault } from "../faults.js";
import { addressOf, allowEveryOrigin, answerPreflight, readBody, sendJson } from "../http.js";
import { createProofs } from "./proofs.js";

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 *
 * @callback Route answers a request whose token is good
 * @param {ServerResponse} response
 * @param {import("./access-tokens.js").Known} known of the token
 * @param {IncomingMessage} request
 * @param {Buffer} body
 * @returns {void}
 */

/**
 * The API that the access tokens are for. Returns whether the path was one of its own.
 * @param {object} parts
 * @param {import("./access-tokens.js").AccessTokens} parts.accessTokens
 * @param {import("../stats.js").Stats} parts.stats
 * @param {import("../faults.js").Faults} parts.faults
 * @param {Record<string, Route> | undefined} parts.routes further ones, by method and path
 * @param {string} parts.origin
 */
export function createApi({ accessTokens, stats, faults, routes: further = {}, origin }) {
  /** @type {Record<string, Route>} */
  const routes = { "GET /api/me": me, "POST /api/echo": echo, ...further };
  const refusalOf = createProofs();

  return async function api(/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) {
    const { pathname } = addressOf(request);
    if (!pathname.startsWith("/api/")) return false;
    allowEveryOrigin(request, response);
    if (answerPreflight(request, response)) return true;
    const body = await readBody(request);
    const route = routes[`${request.method} ${pathname}`];
    const [, scheme = "", token] = /^(Bearer|DPoP) (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    const refused = takeFault(faults, "api")?.kind === "unauthorized";
    const found = token === undefined || refused ? null : await accessTokens.check(token);
    const sent = { scheme: scheme.toLowerCase(), token: token ?? "", url: origin + pathname };
    const refusal = found ? await refusalOf(request, sent) : 'Bearer error="invalid_token"';
    if (!found || refusal) {
      stats.apiUnauthorized += 1;
      stats.log("api: 401");
      // RFC 6750 §3.1: no error code when no token was sent.
      const challenge = token === undefined ? "Bearer" : refusal;
      const error = token === undefined ? "no_token" : /error="(\w+)"/.exec(refusal ?? "")?.[1];
      sendJson(response, 401, { error }, { "WWW-Authenticate": challenge });
    } else if (!route) {
      sendJson(response, 404, { error: "not_found" });
    } else {
      stats.apiOk += 1;
      route(response, found, request, body);
    }
    return true;
  };
}

/** @type {Route} */
function me(response, { sub, serial, expiresAt }) {
  sendJson(response, 200, { sub, serial, expiresAt });
}

/** @type {Route} */
function echo(response, _known, request, body) {
  response.writeHead(200, { "Content-Type": request.headers["content-type"] ?? "application/octet-stream", "Cache-Control": "no-store" });
  response.end(body);
}
