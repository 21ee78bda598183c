import * as oauth from "oauth4webapi";

/** The sign-in by code and PKCE, with oauth4webapi. The page passes the token response to `session.signIn` unchanged. */

const issuer = new URL(location.origin);
const client: oauth.Client = { client_id: "tokentide-demo" };
const pending = "tokentide-demo:sign-in";
// The demo's server runs on this machine, without TLS.
const insecure = { [oauth.allowInsecureRequests]: true };

/** Resolves with the key to which the tokens are to be bound. */
type KeyOf = () => Promise<CryptoKeyPair | undefined>;
const noKey: KeyOf = async () => undefined;

/** The data that this tab keeps until the user comes back from the sign-in page. */
interface Pending {
  verifier: string;
  state: string;
  redirectUri: string;
  returnTo: string;
}

async function discover(): Promise<oauth.AuthorizationServer> {
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
}

/**
 * Leaves the page for the sign-in page. The sign-in page leads back to `path`.
 * @param returnTo the path that the user wanted to open; `authorized` returns it
 */
export async function authorize(path = "/", returnTo = path, keyOf = noKey): Promise<void> {
  const { authorization_endpoint: endpoint } = await discover();
  if (!endpoint) throw new Error("The server names no authorization endpoint.");
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const keyPair = await keyOf();
  const redirectUri = new URL(path, location.origin).href;
  sessionStorage.setItem(pending, JSON.stringify({ verifier, state, redirectUri, returnTo } satisfies Pending));
  const url = new URL(endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid offline_access api",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    // The server asks for the user each time, so that another user can sign in.
    prompt: "login",
    ...(keyPair && { dpop_jkt: await oauth.DPoP(client, keyPair).calculateThumbprint() }),
  }).toString();
  location.assign(url);
}

/** The token response, when the sign-in page led back to this page. Null for any other visit, and for a sign-in that the user cancelled. */
export async function authorized(keyOf = noKey): Promise<{ tokens: oauth.TokenEndpointResponse; returnTo: string } | null> {
  const here = new URL(location.href);
  const stored = sessionStorage.getItem(pending);
  if (!here.searchParams.has("state")) return null;
  // A reload must not present the code again.
  history.replaceState(null, "", here.pathname);
  sessionStorage.removeItem(pending);
  if (stored === null || here.searchParams.get("error") === "access_denied") return null;
  const { verifier, state, redirectUri, returnTo } = JSON.parse(stored) as Pending;
  const server = await discover();
  const answer = oauth.validateAuthResponse(server, client, here, state);
  const keyPair = await keyOf();
  const options = { ...insecure, ...(keyPair && { DPoP: oauth.DPoP(client, keyPair) }) };
  const exchange = () => oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, redirectUri, verifier, options);
  const read = (response: Response) => oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true });
  let response = await exchange();
  // The server may want its nonce in the proof. The code is not used up, and `DPoP` learns the nonce from the answer.
  if (keyPair && !response.ok && oauth.isDPoPNonceError(await read(response.clone()).catch((error) => error))) response = await exchange();
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}.`);
  const tokens = await read(response);
  return { tokens, returnTo };
}
