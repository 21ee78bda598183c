import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import type { Provider } from "oidc-provider";
import { importProvider } from "../../servers/oauth/provider.js";
import { Storage } from "../../servers/oauth/storage.js";

const HOUR = 3600;
const scope = "openid offline_access";

export interface ResourceProvider {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwks: URL;
  /** The errors it has answered with. */
  readonly refused: readonly string[];
  /** A refresh token, as if somebody had signed in. */
  signIn(accountId: string): Promise<string>;
  close(): Promise<void>;
}

/** oidc-provider with RFC 8707: single-use refresh tokens that are good for all `resources`; a token is for the one that is asked for, or the first. */
export async function startResourceProvider(resources: readonly [string, ...string[]], clientId: string): Promise<ResourceProvider> {
  const Provider = await importProvider();
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const server = createServer((request, response) => provider.callback()(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: Provider = new Provider(issuer, {
    adapter: new Storage().adapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "test" }] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: ["https://app.example.test/callback"],
        id_token_signed_response_alg: "ES256",
      },
    ],
    clientBasedCORS: () => true,
    rotateRefreshToken: () => true,
    expiresWithSession: async () => false,
    findAccount: (_ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resources[0],
        useGrantedResource: () => false,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: "use",
          audience: resource,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    interactions: { url: () => "/none" },
    ttl: {
      AccessToken: () => HOUR,
      Grant: () => 365 * 24 * HOUR,
      IdToken: () => HOUR,
      RefreshToken: () => 365 * 24 * HOUR,
      Interaction: () => HOUR,
      Session: () => HOUR,
      AuthorizationCode: () => 60,
    },
  });
  const refused: string[] = [];
  provider.on("grant.error", (_ctx, { error }) => refused.push(error));

  return {
    issuer,
    tokenEndpoint: `${issuer}/token`,
    jwks: new URL(`${issuer}/jwks`),
    refused,
    async signIn(accountId) {
      const grant = new provider.Grant({ accountId, clientId });
      grant.addOIDCScope(scope);
      for (const resource of resources) grant.addResourceScope(resource, "use");
      await grant.save();
      const token = new provider.RefreshToken({
        accountId,
        authTime: Math.floor(Date.now() / 1000),
        client: await provider.Client.find(clientId),
        grantId: grant.jti,
        gty: "authorization_code",
        resource: resources,
        rotations: 0,
        scope: `${scope} use`,
      });
      return token.save();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
