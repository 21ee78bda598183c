import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import OAuth2Server from "@node-oauth/oauth2-server";
import { listen, readBody, sendJson, serve } from "../../servers/http.js";

const REDIRECT = "http://localhost/callback";
const client = { id: "spa", grants: ["authorization_code", "refresh_token"], redirectUris: [REDIRECT] };
const user = { name: "ada" };

/** What a database would keep. A token is deleted where it is revoked, so that of two requests with it one finds it gone. */
function createModel() {
  const codes = new Map<string, OAuth2Server.AuthorizationCode>();
  const accessTokens = new Map<string, OAuth2Server.Token>();
  const refreshTokens = new Map<string, OAuth2Server.RefreshToken>();
  const model: OAuth2Server.AuthorizationCodeModel & OAuth2Server.RefreshTokenModel = {
    getClient: async (id) => id === client.id && client,
    async saveAuthorizationCode(code, client, user) {
      const kept = { ...code, client, user };
      codes.set(code.authorizationCode, kept);
      return kept;
    },
    getAuthorizationCode: async (code) => codes.get(code),
    revokeAuthorizationCode: async ({ authorizationCode }) => codes.delete(authorizationCode),
    async saveToken(token, client, user) {
      const kept = { ...token, client, user };
      accessTokens.set(token.accessToken, kept);
      if (token.refreshToken) refreshTokens.set(token.refreshToken, { ...kept, refreshToken: token.refreshToken });
      return kept;
    },
    getAccessToken: async (token) => accessTokens.get(token),
    getRefreshToken: async (token) => refreshTokens.get(token),
    revokeToken: async ({ refreshToken }) => refreshTokens.delete(refreshToken),
  };
  const revokeAll = () => {
    accessTokens.clear();
    refreshTokens.clear();
  };
  return { model, revokeAll };
}

export interface NodeOauthOptions {
  /** Seconds that an access token lives. */
  lifetime: number;
  /** Whether the refresh grant asks for a client's secret, as it does unless told otherwise. @default false */
  wantsSecret?: boolean;
}

/** @node-oauth/oauth2-server with an API at `/api/me` that takes its tokens. */
export async function startNodeOauth({ lifetime, wantsSecret = false }: NodeOauthOptions) {
  const { model, revokeAll } = createModel();
  let server = await open(0);
  const { url } = server;

  async function open(port: number) {
    const oauth = new OAuth2Server({
      model,
      accessTokenLifetime: lifetime,
      requireClientAuthentication: wantsSecret ? {} : { refresh_token: false },
    });
    const routes: Record<string, (request: OAuth2Server.Request, response: OAuth2Server.Response) => Promise<unknown>> = {
      // Whoever comes has logged in, and has agreed.
      "/oauth/authorize": (request, response) =>
        oauth.authorize(request, response, { authenticateHandler: { handle: () => user }, allowEmptyState: true }),
      "/oauth/token": (request, response) => oauth.token(request, response),
      "/api/me": async (request, response) => {
        response.body = (await oauth.authenticate(request, response)).user;
      },
    };
    const listening = await listen({ port });
    serve(listening.http, [
      async (incoming: IncomingMessage, outgoing: ServerResponse) => {
        const { pathname, searchParams } = new URL(incoming.url ?? "/", listening.url);
        const form = new URLSearchParams((await readBody(incoming)).toString());
        const request = new OAuth2Server.Request({
          headers: incoming.headers as Record<string, string>,
          method: incoming.method ?? "GET",
          query: Object.fromEntries(searchParams),
          body: Object.fromEntries(form),
        });
        const response = new OAuth2Server.Response();
        const status = await routes[pathname]?.(request, response).then(
          () => response.status,
          ({ code }: OAuth2Server.OAuthError) => code,
        );
        sendJson(outgoing, status ?? 404, response.body ?? {}, response.headers);
        return true;
      },
    ]);
    return listening;
  }

  const token = (form: Record<string, string>) =>
    fetch(`${url}/oauth/token`, { method: "POST", body: new URLSearchParams({ client_id: client.id, ...form }) });

  return {
    url,
    clientId: client.id,
    tokenPath: "/oauth/token",
    apiPath: "/api/me",
    /** By code and PKCE (RFC 7636). */
    async signIn() {
      const verifier = randomBytes(32).toString("base64url");
      const query = new URLSearchParams({
        ...{ response_type: "code", client_id: client.id, redirect_uri: REDIRECT },
        ...{ code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256" },
      });
      const agreed = await fetch(`${url}/oauth/authorize?${query}`, { redirect: "manual" });
      const code = new URL(agreed.headers.get("location") ?? "", url).searchParams.get("code") ?? "";
      const answer = await token({ grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: verifier });
      if (!answer.ok) throw new Error(`oauth2-server answered ${answer.status} to the code: ${await answer.text()}`);
      return (await answer.json()) as { access_token: string; refresh_token: string };
    },
    refresh: (refreshToken: string) => token({ grant_type: "refresh_token", refresh_token: refreshToken }),
    revoke: revokeAll,
    async restart() {
      const { port } = server;
      await server.close();
      server = await open(port);
    },
    close: () => server.close(),
  };
}
