import * as oauth from "oauth4webapi";
import type { Server } from "./client.js";

/** As much of a browser as a sign-in needs: cookies, and redirects followed by hand. */
function browser() {
  const cookies = new Map<string, string>();
  return async (url: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { ...init, redirect: "manual", headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]!.split(/=(.*)/s);
      cookies.set(name, value);
    }
    return response;
  };
}

export const locationOf = (response: Response, base: string) => new URL(response.headers.get("location") ?? "", base);

/** Goes through the sign-in page to the redirect with the code. */
export async function authorize(
  server: Pick<Server, "url" | "issuer" | "clientId">,
  user: string,
  parameters: Record<string, string> = {},
) {
  const visit = browser();
  const verifier = oauth.generateRandomCodeVerifier();
  const as = await oauth.processDiscoveryResponse(
    new URL(server.issuer),
    await oauth.discoveryRequest(new URL(server.issuer), { [oauth.allowInsecureRequests]: true }),
  );
  const start = new URL(as.authorization_endpoint!);
  start.search = new URLSearchParams({
    client_id: server.clientId,
    redirect_uri: `${server.url}/callback`,
    response_type: "code",
    scope: "openid offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: "xyz",
    ...parameters,
  }).toString();
  const page = locationOf(await visit(start.href), server.url);
  const html = await (await visit(page.href)).text();
  const posted = await visit(page.href, { method: "POST", body: new URLSearchParams({ user }) });
  let next = locationOf(posted, server.url);
  // Back to the authorization endpoint, by way of a second question if `prompt=consent` asked for one.
  while (next.pathname !== "/callback") next = locationOf(await visit(next.href), server.url);
  return { as, verifier, html, callback: next };
}
