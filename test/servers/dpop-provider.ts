import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { decodeJwt, exportJWK, generateKeyPair } from "jose";
import * as oauth from "oauth4webapi";
import type { Provider } from "oidc-provider";
import { addressOf, allowOrigins, answerPreflight, listen, sendJson, serve } from "../../servers/http.js";
import { importProvider } from "../../servers/oauth/provider.js";
import { Storage } from "../../servers/oauth/storage.js";

export const AUTH = "https://auth.example.com";
export const API = "https://api.example.com";
export const BILLING = "https://billing.example.com";
export const APP = "https://app.example.com";
const CLIENT = "spa";
const HOUR = 3600;
const scope = "openid offline_access";

export interface DpopServerOptions {
  /** JWTs are for the API, and opaque tokens for the provider's own userinfo endpoint. @default "jwt" */
  format?: "jwt" | "opaque";
  /** Whether the authorization server wants a nonce in each proof. `"never"`: it has none. @default "required" */
  nonces?: "required" | "if late" | "never";
  /** Whether each renewal gives another refresh token. @default false */
  rotate?: boolean;
  /** Whether the client's tokens are bound. @default true */
  bound?: boolean;
}

/** A request, as the servers saw it. Preflights are not in it. */
export interface Seen {
  readonly path: string;
  readonly status: number;
  readonly error: string | undefined;
  readonly authorization: string | null;
  readonly proof: string | null;
  readonly form: Readonly<Record<string, string>>;
}

/** oidc-provider with DPoP, and two APIs whose proofs oauth4webapi judges. They are at addresses that only `network` knows. */
export async function startDpopServers(options: DpopServerOptions = {}) {
  const { http, port, close } = await listen({});
  const storage = new Storage();
  const provider = await createProvider(options, storage);
  const issued: string[] = [];
  provider.on("access_token.saved", ({ jti }) => issued.push(jti));
  const api = { nonce: undefined as string | undefined, exposed: "DPoP-Nonce, WWW-Authenticate", used: new Set<unknown>() };
  const state = { user: "ada", seen: [] as Seen[] };
  const oauthServer = provider.callback();

  /** Brings a request to the servers as their proxy would, which ends TLS. */
  const network: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { host, pathname, search } = new URL(request.url);
    const { method, redirect, signal } = request;
    const body = request.body ? await request.text() : null;
    const headers = new Headers(request.headers);
    headers.set("x-forwarded-host", host);
    headers.set("x-forwarded-proto", "https");
    const answer = await fetch(`http://127.0.0.1:${port}${pathname}${search}`, { method, headers, body, redirect, signal });
    const bytes = await answer.arrayBuffer();
    const isJson = /json/.test(answer.headers.get("content-type") ?? "");
    if (method !== "OPTIONS")
      state.seen.push({
        ...{ path: pathname, status: answer.status, authorization: headers.get("authorization"), proof: headers.get("dpop") },
        error: isJson ? JSON.parse(new TextDecoder().decode(bytes)).error : undefined,
        form: Object.fromEntries(new URLSearchParams(body ?? "")),
      });
    const response = new Response(bytes.byteLength > 0 ? bytes : null, answer);
    return Object.defineProperty(response, "url", { value: request.url });
  };

  const judge = createJudge(api, network);
  serve(http, [
    async (request: IncomingMessage, response: ServerResponse) => {
      if (request.headers["x-forwarded-host"] === new URL(AUTH).host) return false;
      allowOrigins(request, response, [APP], api.exposed);
      if (!answerPreflight(request, response)) await judge(request, response);
      return true;
    },
    async (request: IncomingMessage, response: ServerResponse) => {
      if (!addressOf(request).pathname.startsWith("/interaction/")) return false;
      await provider.interactionFinished(request, response, { login: { accountId: state.user } });
      return true;
    },
    oauthServer,
  ]);

  return {
    api,
    network,
    close,
    /** The provider forgets the access tokens that it has issued, which works for opaque ones. */
    expire: () => {
      for (const jti of issued.splice(0)) storage.remove("AccessToken", jti);
    },
    /** All requests since the last call. */
    seen: () => state.seen.splice(0),
    /** Follows the redirects of a login as a browser that has never been there. Resolves with the address to which it comes back. */
    async logIn(address: string, user: string): Promise<string> {
      state.user = user;
      const cookies = new Map<string, string>();
      let next = new URL(address);
      while (next.origin !== APP) {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
        const response = await network(next, { redirect: "manual", headers: { cookie } });
        for (const line of response.headers.getSetCookie()) {
          const [name = "", value = ""] = line.split(";")[0]!.split(/=(.*)/s);
          cookies.set(name, value);
        }
        const location = response.headers.get("location");
        if (!location) throw new Error(`the login ended at ${next.pathname}: ${response.status} ${await response.text()}`);
        next = new URL(location, next);
      }
      return next.href;
    },
  };
}

export type DpopServers = Awaited<ReturnType<typeof startDpopServers>>;

async function createProvider(options: DpopServerOptions, storage: Storage): Promise<Provider> {
  const { format = "jwt", nonces = "required", rotate = false, bound = true } = options;
  const Provider = await importProvider();
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const provider: Provider = new Provider(AUTH, {
    adapter: storage.adapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "test" }] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [`${APP}/callback`],
        id_token_signed_response_alg: "ES256",
        dpop_bound_access_tokens: bound,
      },
    ],
    clientBasedCORS: () => true,
    pkce: { required: () => true },
    rotateRefreshToken: () => rotate,
    issueRefreshToken: async () => true,
    expiresWithSession: async () => false,
    async loadExistingGrant(ctx) {
      const { clientId } = ctx.oidc.client;
      const grant = new provider.Grant({ accountId: ctx.oidc.session.accountId, clientId });
      grant.addOIDCScope(scope);
      for (const resource of [API, BILLING]) grant.addResourceScope(resource, "use");
      await grant.save();
      return grant;
    },
    findAccount: (_ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: format === "opaque" },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      dPoP: {
        enabled: true,
        nonceSecret: nonces === "never" ? undefined : randomBytes(32),
        requireNonce: () => nonces === "required",
      },
      resourceIndicators: {
        enabled: format === "jwt",
        // The login is for both APIs, and a token for one of them.
        defaultResource: ({ path }) => (path.startsWith("/auth") ? [API, BILLING] : API),
        useGrantedResource: () => false,
        getResourceServerInfo: (_ctx, audience) => ({ scope: "use", audience, accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } }),
      },
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    ttl: {
      AccessToken: () => HOUR,
      AuthorizationCode: () => 60,
      Grant: () => 365 * 24 * HOUR,
      IdToken: () => HOUR,
      Interaction: () => HOUR,
      RefreshToken: () => 365 * 24 * HOUR,
      Session: () => HOUR,
    },
  });
  provider.proxy = true;
  provider.on("server_error", (_ctx, error) => console.error(error));
  return provider;
}

/** The APIs: oauth4webapi judges token and proof. It knows nothing of nonces and of proofs that come twice, which are judged here. */
function createJudge(api: { nonce: string | undefined; used: Set<unknown> }, network: typeof fetch) {
  const as: oauth.AuthorizationServer = { issuer: AUTH, jwks_uri: `${AUTH}/jwks` };
  const cache = {};
  return async ({ method = "GET", url, headers }: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refuse = (error: string, description = error) => {
      const challenge = `DPoP error="${error}", error_description="${description}", algs="ES256"`;
      sendJson(response, 401, { error }, { "WWW-Authenticate": challenge, ...(api.nonce && { "DPoP-Nonce": api.nonce }) });
    };
    const { authorization = "", dpop = "" } = headers as Record<string, string>;
    const audience = `https://${headers["x-forwarded-host"]}`;
    const asked = new Request(audience + url, { method, headers: { authorization, ...(dpop && { dpop }) } });
    try {
      const claims = await oauth.validateJwtAccessToken(as, asked, audience, {
        ...{ requireDPoP: true, signingAlgorithms: ["ES256"], [oauth.jwksCache]: cache },
        [oauth.customFetch]: (address: string, init: object) => network(address, init),
      });
      const { nonce, jti } = decodeJwt(dpop);
      if (api.nonce && nonce !== api.nonce) return refuse("use_dpop_nonce");
      if (api.used.has(jti)) return refuse("invalid_dpop_proof", "it came before");
      api.used.add(jti);
      sendJson(response, 200, { sub: claims.sub, method }, api.nonce ? { "DPoP-Nonce": api.nonce } : {});
    } catch (error) {
      const { message } = error as Error;
      refuse(/^DPoP Proof/.test(message) ? "invalid_dpop_proof" : "invalid_token", message.replaceAll('"', "'"));
    }
  };
}
