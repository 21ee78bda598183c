import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { userOf } from "../users.js";
import { createSignIns, resourceServer, saveGrant, scope } from "./grants.js";

/**
 * @import { Provider } from "oidc-provider"
 *
 * @typedef {"jwt" | "opaque"} TokenFormat
 */

const DAY = 24 * 60 * 60;

/** oidc-provider greets Node 20 with a warning on import, although it works there. Everything else it says is passed on. */
export async function importProvider() {
  const warn = console.warn;
  console.warn = (message, ...rest) => {
    if (!String(message).includes("Unsupported runtime")) warn(message, ...rest);
  };
  try {
    return (await import("oidc-provider")).Provider;
  } finally {
    console.warn = warn;
  }
}

export const clientId = "tokentide-demo";

/**
 * A strict authorization server: PKCE, a new refresh token at each refresh, and the end of the session when a used one comes back.
 * @param {object} options
 * @param {string} options.issuer
 * @param {string} options.audience
 * @param {string[]} options.redirectUris
 * @param {import("./storage.js").Storage} options.storage
 * @param {{ accessTokenSeconds: number }} options.settings
 * @param {number} options.refreshTokenSeconds
 * @param {TokenFormat} options.accessTokenFormat
 * @param {boolean} options.rotate
 * @param {boolean} options.dpop
 */
export async function createProvider({
  issuer,
  audience,
  redirectUris,
  storage,
  settings,
  refreshTokenSeconds,
  accessTokenFormat,
  rotate,
  dpop,
}) {
  const Provider = await importProvider();
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });

  /** @type {Provider} */
  const provider = new Provider(issuer, {
    adapter: storage.adapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "demo" }] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    clients: [
      {
        client_id: clientId,
        client_name: "tokentide demo",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        redirect_uris: redirectUris,
        id_token_signed_response_alg: "ES256",
      },
    ],
    clientBasedCORS: () => true,
    scopes: scope.split(" "),
    claims: { openid: ["sub", "name"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    rotateRefreshToken: () => rotate,
    // A session of its own, not tied to the sign-in page's cookie, and without a consent screen.
    issueRefreshToken: async () => true,
    expiresWithSession: async () => false,
    loadExistingGrant: (ctx) =>
      saveGrant(provider, { accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId, audience }),
    findAccount: (_ctx, accountId) => {
      const user = userOf(accountId);
      return user && { accountId, claims: async () => ({ sub: accountId, name: user.name }) };
    },
    extraTokenClaims: (_ctx, token) => ({ name: userOf(token.accountId)?.name }),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: dpop, nonceSecret: randomBytes(32), requireNonce: () => true },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => resourceServer(audience, accessTokenFormat),
      },
    },
    interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
    renderError: (ctx, { error, error_description: description }) => {
      ctx.type = "text";
      ctx.body = description ? `${error}: ${description}` : error;
    },
    routes: {
      authorization: "/oauth/authorize",
      // Where the sign-in page's cookie changes hands when somebody else signs in.
      end_session: "/oauth/end",
      jwks: "/oauth/jwks",
      pushed_authorization_request: "/oauth/request",
      revocation: "/oauth/revoke",
      token: "/oauth/token",
    },
    ttl: {
      AccessToken: () => settings.accessTokenSeconds,
      AuthorizationCode: () => 60,
      Grant: () => 365 * DAY,
      IdToken: () => 3600,
      Interaction: () => 3600,
      RefreshToken: () => refreshTokenSeconds,
      Session: () => DAY,
    },
  });

  return { provider, publicKey, signIns: createSignIns(provider, { clientId, audience, accessTokenFormat }) };
}
