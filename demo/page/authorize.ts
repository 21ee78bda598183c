import * as oauth from "oauth4webapi";

/** Code and PKCE with oauth4webapi. What it brings home is handed to `session.signIn` as it is. */

const issuer = new URL(location.origin);
const client: oauth.Client = { client_id: "tokentide-demo" };
const pending = "tokentide-demo:sign-in";
// The demo's server is on this machine, without TLS.
const insecure = { [oauth.allowInsecureRequests]: true };

/** What is kept, in this tab, until the way back. */
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
 * Leaves the page for the sign-in page, which comes back to `path`.
 * @param returnTo where the user was going, for `authorized` to tell
 */
export async function authorize(path = "/", returnTo = path): Promise<void> {
  const { authorization_endpoint: endpoint } = await discover();
  if (!endpoint) throw new Error("The server names no authorization endpoint.");
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
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
    // Asks who it is each time, so that one can come back as somebody else.
    prompt: "login",
  }).toString();
  location.assign(url);
}

/** The token response, when the page was opened by the way back from the sign-in page; null when not, or when it was cancelled. */
export async function authorized(): Promise<{ tokens: oauth.TokenEndpointResponse; returnTo: string } | null> {
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
  const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, redirectUri, verifier, insecure);
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}.`);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true });
  return { tokens, returnTo };
}
