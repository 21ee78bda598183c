// The clients that bring a login of their own, given the tokens that it would have brought. Most of them hand out a token and no more: what
// sets the header, and what renews and sends once more after a 401, is glue, the same for all.
import { sessionHeaders, tokensOf, use } from "./world.js";

const API = "https://api.example.test";

/** `token` gives the one to send; `renew` is the client's own forced renewal. */
function withGlue(
  /** @type {{ token: () => Promise<string | null | undefined>, renew: () => Promise<unknown>, stop?: () => void }} */ {
    token,
    renew,
    stop,
  },
) {
  const send = async (/** @type {string} */ url, /** @type {RequestInit} */ init) =>
    fetch(url, { ...init, headers: { authorization: `Bearer ${await token()}` } });
  return {
    async call(/** @type {string} */ url, /** @type {RequestInit} */ init) {
      const response = await send(url, init);
      if (response.status !== 401) return response;
      await renew();
      return send(url, init);
    },
    stop,
  };
}

const seconds = (/** @type {number} */ milliseconds) => Math.floor(milliseconds / 1000);

/** @typedef {(surroundings: import("./contestants.js").Surroundings) => Promise<import("./contestants.js").Contestant>} Make */

/** @type {Record<string, Make>} */
const makers = {
  "keycloak-js": async () => {
    const { default: Keycloak } = await import("keycloak-js");
    const keycloak = new Keycloak({ url: "https://auth.example.test", realm: "one", clientId: "spa" });
    const { access_token: token, id_token: idToken, refresh_token: refreshToken } = tokensOf(1);
    // It renews what it is given at once.
    await keycloak.init({ token, idToken, refreshToken, checkLoginIframe: false });
    return withGlue({
      async token() {
        await keycloak.updateToken(5);
        return keycloak.token;
      },
      renew: () => keycloak.updateToken(-1),
    });
  },
  "oidc-client-ts": async () => {
    const { InMemoryWebStorage, User, UserManager, WebStorageStateStore } = await import("oidc-client-ts");
    const store = new WebStorageStateStore({ store: new InMemoryWebStorage() });
    const manager = new UserManager({
      authority: "https://auth.example.test",
      client_id: "spa",
      redirect_uri: "https://app.example.test/",
      metadata: { issuer: "https://auth.example.test", token_endpoint: "https://auth.example.test/token" },
      automaticSilentRenew: false,
      userStore: store,
      stateStore: store,
    });
    const { expires_in, id_token, ...tokens } = tokensOf(1);
    const profile = { iss: "https://auth.example.test", aud: "spa", sub: "ada", iat: 0, exp: 0 };
    await manager.storeUser(new User({ ...tokens, id_token, profile, expires_at: seconds(Date.now()) + expires_in }));
    return withGlue({ token: async () => (await manager.getUser())?.access_token, renew: () => manager.signinSilent() });
  },
  "supertokens-website": async ({ answer }) => {
    Reflect.deleteProperty(globalThis, "__supertokensOriginalFetch");
    if (!("XMLHttpRequest" in globalThis)) Object.assign(globalThis, { XMLHttpRequest: class {} });
    const { default: SuperTokens } = await import("supertokens-website");
    /** @type {Map<string, string>} */
    let cookies = new Map();
    SuperTokens.init({
      apiDomain: API,
      tokenTransferMethod: "header",
      cookieHandler: (original) => ({
        ...original,
        getCookie: async () => [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        setCookie: async (cookie) => {
          const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
          if (/expires=Thu, 01 Jan 1970/i.test(cookie)) cookies.delete(name);
          else cookies.set(name, value);
        },
      }),
    });
    const { fetch: call } = globalThis;
    cookies = new Map();
    use(async () => new Response("{}", { headers: sessionHeaders(tokensOf(1)) }));
    await call(`${API}/sign-in`);
    use(answer);
    return { call, stop: () => cookies.clear() };
  },
  "@supabase/auth-js": async () => {
    const { AuthClient } = await import("@supabase/auth-js");
    const { expires_in, ...tokens } = tokensOf(1);
    const session = { ...tokens, expires_in, expires_at: seconds(Date.now()) + expires_in, user: { id: "ada" } };
    const stored = new Map([["tokens", JSON.stringify(session)]]);
    const storage = {
      getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ value) => void stored.set(key, value),
      removeItem: (/** @type {string} */ key) => void stored.delete(key),
    };
    const client = new AuthClient({
      url: "https://auth.example.test",
      storageKey: "tokens",
      storage,
      autoRefreshToken: false,
      fetch: (input, init) => fetch(input, init),
    });
    return withGlue({
      token: async () => (await client.getSession()).data.session?.access_token,
      renew: () => client.refreshSession(),
      stop: () => client.stopAutoRefresh(),
    });
  },
  "@okta/okta-auth-js": async () => {
    const { OktaAuth } = await import("@okta/okta-auth-js");
    const client = new OktaAuth({
      issuer: "https://auth.example.test",
      clientId: "spa",
      redirectUri: "https://app.example.test/",
      tokenManager: { storage: "memory", autoRenew: false },
      ignoreSignature: true,
    });
    const { access_token: accessToken, refresh_token: refreshToken, scope, expires_in } = tokensOf(1);
    const expiresAt = seconds(Date.now()) + expires_in;
    const shared = { scopes: scope.split(" "), expiresAt, authorizeUrl: "https://auth.example.test/authorize" };
    client.tokenManager.setTokens({
      accessToken: { ...shared, accessToken, tokenType: "Bearer", claims: {}, userinfoUrl: "https://auth.example.test/me" },
      refreshToken: { ...shared, refreshToken, tokenUrl: "https://auth.example.test/token", issuer: "https://auth.example.test" },
    });
    return withGlue({ token: () => client.getOrRenewAccessToken(), renew: () => client.tokenManager.renew("accessToken") });
  },
  "@auth0/auth0-spa-js": async () => {
    const { Auth0Client } = await import("@auth0/auth0-spa-js");
    const { access_token, refresh_token, scope, expires_in, id_token } = tokensOf(1);
    const body = { client_id: "spa", audience: "default", scope, access_token, refresh_token, expires_in, id_token };
    /** @type {Map<string, object>} */
    const stored = new Map(
      Object.entries({
        "@@auth0spajs@@::spa::@@user@@": { id_token, decodedToken: { claims: { __raw: id_token, sub: "ada" }, user: { sub: "ada" } } },
        [`@@auth0spajs@@::spa::default::${scope}`]: { body, expiresAt: seconds(Date.now()) + expires_in },
      }),
    );
    const client = new Auth0Client({
      domain: "auth.example.test",
      issuer: "https://auth.example.test",
      clientId: "spa",
      useRefreshTokens: true,
      authorizationParams: { scope },
      cache: {
        get: (key) => stored.get(key),
        set: (key, entry) => void stored.set(key, entry),
        remove: (key) => void stored.delete(key),
        allKeys: () => [...stored.keys()],
      },
    });
    return withGlue({ token: () => client.getTokenSilently(), renew: () => client.getTokenSilently({ cacheMode: "off" }) });
  },
};

/** Each finds a page about it, which tokentide must not see in Node: it would look for other tabs. */
export const peers = Object.fromEntries(
  Object.entries(makers).map(([name, make]) => {
    /** @type {Make} */
    const makeInPage = async (surroundings) => {
      await import("./page.js");
      return make(surroundings);
    };
    return [name, makeInPage];
  }),
);
