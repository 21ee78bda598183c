import { randomBytes } from "node:crypto";
import { createControl } from "../control.js";
import { addressOf, listen, notFound, serve } from "../http.js";
import { createStats } from "../stats.js";
import { AccessTokens } from "./access-tokens.js";
import { createApi } from "./api.js";
import { clientId, createProvider } from "./provider.js";
import { createSignInPage } from "./sign-in-page.js";
import { Storage } from "./storage.js";
import { SET_UP_HEADER, tokenEndpoint } from "./token-endpoint.js";

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 * @import { Faults } from "../faults.js"
 * @import { Stats } from "../stats.js"
 *
 * @typedef {object} Companion another server at the same address
 * @property {(request: IncomingMessage, response: ServerResponse) => Promise<boolean>} handle
 * @property {{ accessTokenSeconds: number | undefined }} lifetimes
 * @property {() => void} expireAccessTokens
 * @property {(subject?: string) => number} revokeAll
 *
 * @typedef {object} OwnOptions
 * @property {number} [accessTokenSeconds] default 30
 * @property {number} [refreshTokenSeconds] default 14 days, counted anew at each rotation
 * @property {string[]} [redirectUris] default: the origin's `/` and `/callback`
 * @property {(request: IncomingMessage, response: ServerResponse) => void} [fallback]
 *   answers every path that neither the authorization server nor the API knows, so that pages can be of the same origin
 * @property {import("./provider.js").TokenFormat} [accessTokenFormat] default `jwt`
 * @property {number} [reuseGraceSeconds] within which a used refresh token gets the same answer again; default 0: the session ends at once
 * @property {Storage} [storage] what an earlier server left, whose sessions go on
 * @property {Record<string, import("./api.js").Route>} [routes] further ones of the API, by method and path below `/api/`
 * @property {(shared: { stats: Stats, faults: Faults }) => Companion} [companion] what it counts and what breaks is the same
 * @property {boolean} [rotate] whether each refresh gives a new refresh token; default true
 * @property {boolean} [dpop] whether tokens can be bound to a key, by a proof that needs a nonce; default false
 *
 * @typedef {import("../http.js").Address & OwnOptions} ServerOptions
 *
 * @typedef {object} Settings what counts from the next token on
 * @property {number} accessTokenSeconds
 * @property {number} reuseGraceSeconds
 *
 * @typedef {object} TokenResponse RFC 6749 §5.1
 * @property {string} access_token
 * @property {string} refresh_token
 * @property {string} [id_token] not in those that are bound to a key
 * @property {string} token_type
 * @property {number} expires_in
 * @property {string} scope
 *
 * @typedef {object} Server
 * @property {string} url the origin
 * @property {string} issuer the same
 * @property {number} port
 * @property {string} clientId
 * @property {string} tokenEndpoint
 * @property {string} revocationEndpoint
 * @property {Stats} stats
 * @property {Faults} faults to be changed at will
 * @property {Settings} settings the same
 * @property {(options?: { subject?: string | undefined, jkt?: string | undefined }) => Promise<TokenResponse>} issueTokens
 *   a new session, without the sign-in page; not counted. With a thumbprint, its tokens are bound to that key.
 * @property {() => void} expireAccessTokens the API refuses all access tokens issued before now
 * @property {(subject?: string) => number} revokeAll as an administrator would; returns how many sessions ended
 * @property {import("node:http").Server} http for what else wants to listen there, such as a WebSocket
 * @property {() => Promise<void>} close at once
 */

/**
 * One HTTP server that holds a real OAuth server, oidc-provider, and an API that wants its tokens.
 * @param {ServerOptions} [options]
 * @returns {Promise<Server>}
 */
export async function startServer(options = {}) {
  const { accessTokenSeconds = 30, refreshTokenSeconds = 14 * 24 * 60 * 60, accessTokenFormat = "jwt", reuseGraceSeconds = 0 } = options;
  const { host = "127.0.0.1", fallback = notFound } = options;

  const { http, port, url, close } = await listen(options);
  const { storage = new Storage(), rotate = true } = options;
  const stats = createStats();
  /** @type {Faults} */
  const faults = { token: null, api: null };
  const settings = { accessTokenSeconds, reuseGraceSeconds };
  const setUpSecret = randomBytes(16).toString("base64url");
  const audience = `${url}/api`;
  const redirectUris = options.redirectUris ?? [`${url}/`, `${url}/callback`];
  const { provider, publicKey, signIns } = await createProvider({
    issuer: url,
    audience,
    redirectUris,
    storage,
    settings,
    refreshTokenSeconds,
    accessTokenFormat,
    rotate,
    dpop: options.dpop ?? false,
  });
  const tokenPath = provider.pathFor("token");
  provider.use(tokenEndpoint({ path: tokenPath, stats, faults, setUpSecret, settings }));
  count(provider, { stats, storage, setUpSecret });

  const accessTokens = new AccessTokens({ provider, storage, publicKey, issuer: url, audience });
  const companion = options.companion?.({ stats, faults });
  if (companion) companion.lifetimes.accessTokenSeconds = accessTokenSeconds;

  const expireAccessTokens = () => {
    accessTokens.expire();
    companion?.expireAccessTokens();
    stats.log("access tokens expired");
  };
  const revokeAll = (/** @type {string | undefined} */ subject) => {
    const grants = storage.liveGrants(subject);
    for (const grantId of grants) {
      storage.removeGrantMembers(grantId);
      storage.remove("Grant", grantId);
      stats.revoked += 1;
      stats.log("revoked", grantId);
    }
    return grants.size + (companion?.revokeAll(subject) ?? 0);
  };

  /** @type {Server["issueTokens"]} */
  async function issueTokens({ subject = "ada", jkt } = {}) {
    if (jkt) return signIns.createBoundTokens(subject, jkt);
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      client_id: clientId,
      refresh_token: await signIns.createRefreshToken(subject),
    });
    const address = host.includes(":") ? `[${host}]` : host;
    const response = await fetch(`http://${address}:${port}${tokenPath}`, {
      method: "POST",
      body: form,
      headers: { [SET_UP_HEADER]: setUpSecret },
    });
    if (!response.ok) throw new Error(`the token endpoint answered ${response.status}`);
    return response.json();
  }

  /** @type {Record<string, import("../control.js").Command>} */
  const commands = {
    "/control/settings": ({ accessTokenSeconds = 0, reuseGraceSeconds = -1 }) => {
      if (accessTokenSeconds >= 1) settings.accessTokenSeconds = accessTokenSeconds;
      if (companion) companion.lifetimes.accessTokenSeconds = settings.accessTokenSeconds;
      if (reuseGraceSeconds >= 0) settings.reuseGraceSeconds = reuseGraceSeconds;
    },
    // What a login ends with, without the way there.
    "/control/sign-in": ({ subject, jkt }) => issueTokens({ subject, jkt }),
  };
  const oauth = provider.callback();
  serve(http, [
    createApi({ accessTokens, stats, faults, routes: options.routes, origin: url }),
    createControl({ stats, faults, settings, actions: { expireAccessTokens, revokeAll }, commands }),
    createSignInPage(provider),
    ...(companion ? [companion.handle] : []),
    (request, response) => {
      const { pathname } = addressOf(request);
      const isOauth = pathname.startsWith("/oauth/") || pathname.startsWith("/.well-known/");
      return (isOauth ? oauth : fallback)(request, response);
    },
  ]);

  return {
    url,
    issuer: url,
    port,
    clientId,
    http,
    tokenEndpoint: url + tokenPath,
    revocationEndpoint: url + provider.pathFor("revocation"),
    stats,
    faults,
    settings,
    issueTokens,
    expireAccessTokens,
    revokeAll,
    close,
  };
}

/**
 * Counts what oidc-provider itself says happened.
 * @param {import("oidc-provider").Provider} provider
 * @param {{ stats: Stats, storage: Storage, setUpSecret: string }} parts
 */
function count(provider, { stats, storage, setUpSecret }) {
  provider.on("grant.success", (ctx) => {
    if (ctx.get(SET_UP_HEADER) === setUpSecret) return;
    const grantId = ctx.oidc.entities.RefreshToken?.grantId;
    if (ctx.oidc.params?.grant_type === "refresh_token") {
      stats.refreshes += 1;
      stats.log("refreshed", grantId);
    } else {
      stats.log("signed in", grantId);
    }
  });
  provider.on("grant.error", (ctx, error) => {
    const token = ctx.oidc.params?.refresh_token;
    if (token !== undefined && storage.wasUsed(token)) {
      stats.reused += 1;
      stats.log("used refresh token presented again", ctx.oidc.entities.RefreshToken?.grantId);
    } else {
      stats.log(`refused: ${error.error}`);
    }
  });
  provider.on("grant.revoked", (_ctx, grantId) => {
    stats.revoked += 1;
    stats.log("revoked", grantId);
  });
  provider.on("server_error", (_ctx, error) => console.error(error));
}
