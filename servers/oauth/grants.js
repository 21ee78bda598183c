/**
 * @import { Provider } from "oidc-provider"
 * @import { TokenFormat } from "./provider.js"
 *
 * @typedef {object} GrantOptions
 * @property {string} clientId
 * @property {string} audience
 * @property {TokenFormat} accessTokenFormat
 */

export const scope = "openid offline_access";
export const apiScope = "api";

/**
 * Makes what a login ends with, without the login.
 * @param {Provider} provider
 * @param {GrantOptions} options
 */
export function createSignIns(provider, { clientId, audience, accessTokenFormat }) {
  /** @param {string} accountId @param {string} [jkt] */
  async function begin(accountId, jkt) {
    const client = await provider.Client.find(clientId);
    const grant = await saveGrant(provider, { accountId, clientId, audience });
    const of = { accountId, client, grantId: grant.jti, gty: "authorization_code", ...(jkt && { jkt }) };
    const refreshToken = new provider.RefreshToken({
      ...of,
      authTime: Math.floor(Date.now() / 1000),
      resource: audience,
      rotations: 0,
      scope: `${scope} ${apiScope}`,
    });
    return { of, refreshToken: await refreshToken.save() };
  }

  return {
    /** Returns a refresh token of a new grant, which is bound to no key. */
    createRefreshToken: async (/** @type {string} */ accountId) => (await begin(accountId)).refreshToken,
    /** Returns the tokens of a new grant. They are bound to the key with this thumbprint, as if the login had proven that it has the key. */
    async createBoundTokens(/** @type {string} */ accountId, /** @type {string} */ jkt) {
      const { of, refreshToken } = await begin(accountId, jkt);
      const accessToken = new provider.AccessToken({ ...of, scope: apiScope });
      accessToken.resourceServer = new provider.ResourceServer(audience, resourceServer(audience, accessTokenFormat));
      const value = await accessToken.save();
      return { access_token: value, refresh_token: refreshToken, token_type: "DPoP", expires_in: accessToken.expiration, scope: apiScope };
    },
  };
}

export async function saveGrant(
  /** @type {Provider} */ provider,
  /** @type {{ accountId: string, clientId: string, audience: string }} */ { accountId, clientId, audience },
) {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  grant.addResourceScope(audience, apiScope);
  await grant.save();
  return grant;
}

/** @returns {import("oidc-provider").ResourceServer} */
export function resourceServer(/** @type {string} */ audience, /** @type {TokenFormat} */ accessTokenFormat) {
  return { audience, scope: apiScope, accessTokenFormat, ...(accessTokenFormat === "jwt" ? { jwt: { sign: { alg: "ES256" } } } : {}) };
}
