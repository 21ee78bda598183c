import { createAuth0Client } from "@auth0/auth0-spa-js";
import { expiryOf, type Restored, withBearer } from "./entry.js";

const scope = "openid offline_access";

/** As a login leaves it with `cacheLocation: "localstorage"`, with the cookie that lets the next page look there. */
export const seed: Restored["seed"] = async (tokens) => {
  const { access_token, refresh_token, expires_in, id_token } = tokens;
  const claims = JSON.parse(atob(id_token.split(".")[1] ?? ""));
  const body = { client_id: "spa", audience: "default", scope, access_token, refresh_token, expires_in, id_token };
  const keep = (key: string, value: object) => localStorage.setItem(`@@auth0spajs@@::spa::${key}`, JSON.stringify(value));
  keep("@@user@@", { id_token, decodedToken: { claims: { __raw: id_token, ...claims }, user: { sub: claims.sub } } });
  keep(`default::${scope}`, { body, expiresAt: expiryOf(tokens) });
  // biome-ignore lint/suspicious/noDocumentCookie: the library's own cookie, which is no secret
  document.cookie = "auth0.spa.is.authenticated=true; path=/";
};

export const start: Restored["start"] = async () => {
  const client = await createAuth0Client({
    domain: "auth.example.test",
    clientId: "spa",
    useRefreshTokens: true,
    cacheLocation: "localstorage",
    authorizationParams: { scope },
  });
  return async () => withBearer(await client.getTokenSilently())();
};
