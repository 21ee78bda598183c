import * as oauth from "oauth4webapi";

/** Code and PKCE with oauth4webapi. What it brings home is handed to `session.signIn` as it is. */

const issuer = new URL(location.origin);
const client: oauth.Client = { client_id: "tokentide-demo" };
const redirectUri = `${location.origin}/`;
const pending = "tokentide-demo:sign-in";
// The demo's server is on this machine, without TLS.
const insecure = { [oauth.allowInsecureRequests]: true };

async function discover(): Promise<oauth.AuthorizationServer> {
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
}

/** Leaves the page for the sign-in page. */
export async function authorize(): Promise<void> {
  const { authorization_endpoint: endpoint } = await discover();
  if (!endpoint) throw new Error("The server names no authorization endpoint.");
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  sessionStorage.setItem(pending, JSON.stringify({ verifier, state }));
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
export async function authorized(): Promise<oauth.TokenEndpointResponse | null> {
  const here = new URL(location.href);
  const stored = sessionStorage.getItem(pending);
  if (!here.searchParams.has("state")) return null;
  // A reload must not present the code again.
  history.replaceState(null, "", "/");
  sessionStorage.removeItem(pending);
  if (stored === null || here.searchParams.get("error") === "access_denied") return null;
  const { verifier, state } = JSON.parse(stored) as { verifier: string; state: string };
  const server = await discover();
  const answer = oauth.validateAuthResponse(server, client, here, state);
  const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, redirectUri, verifier, insecure);
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}.`);
  return oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true });
}
