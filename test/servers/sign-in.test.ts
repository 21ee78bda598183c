import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as oauth from "oauth4webapi";
import { afterEach, expect, it } from "vitest";
import { startServer } from "../../servers/oauth/index.js";
import { authorize, locationOf } from "./authorize.js";
import { me, refreshed, type Server } from "./client.js";

let server: Server;
afterEach(() => server.close());

it.each([{}, { prompt: "consent" }, { prompt: "login" }])("signs in with code and PKCE through the page, given %o", async (parameters) => {
  server = await startServer();
  const { as, verifier, html, callback } = await authorize(server, "ada", parameters);
  expect(html).toContain("Sign in as Ada");
  const client = { client_id: server.clientId };
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    oauth.None(),
    oauth.validateAuthResponse(as, client, callback, "xyz"),
    `${server.url}/callback`,
    verifier,
    { [oauth.allowInsecureRequests]: true },
  );
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { requireIdToken: true });
  expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ sub: "ada", name: "Ada Lovelace" });
  expect(server.stats.events.map((event) => event.kind)).toEqual(["signed in"]);
  expect(await (await me(server, tokens.access_token)).json()).toMatchObject({ sub: "ada" });
  await refreshed(server, tokens.refresh_token!);
  expect(server.stats).toMatchObject({ refreshes: 1, reused: 0 });
});

it("refuses a code without PKCE and a user it does not know", async () => {
  server = await startServer();
  const { callback } = await authorize(server, "mallory");
  expect(callback.searchParams.get("error")).toBe("access_denied");
  const url = new URL("/oauth/authorize", server.url);
  url.search = new URLSearchParams({
    client_id: server.clientId,
    redirect_uri: `${server.url}/callback`,
    response_type: "code",
    scope: "openid",
  }).toString();
  const refused = await fetch(url, { redirect: "manual" });
  expect(locationOf(refused, server.url).searchParams.get("error")).toBe("invalid_request");
});

it("answers under a name of one's choice and hands unknown paths to the fallback", async () => {
  server = await startServer({
    origin: (port) => `http://app.test:${port}`,
    fallback: (request, response) => response.end(`page ${request.url}`),
  });
  const local = `http://127.0.0.1:${server.port}`;
  expect(await (await fetch(`${local}/some/page`)).text()).toBe("page /some/page");
  const discovery = (await (await fetch(`${local}/.well-known/openid-configuration`)).json()) as { issuer: string };
  expect(discovery.issuer).toBe(`http://app.test:${server.port}`);
  const { refresh_token: token } = await server.issueTokens();
  await refreshed({ ...server, tokenEndpoint: `${local}${new URL(server.tokenEndpoint).pathname}` }, token);
  expect((await fetch(`${local}/sign-in/unknown`)).status).toBe(400);
});

it("says nothing on the console and lets the process end after close", async () => {
  server = await startServer();
  const module = new URL("../../servers/oauth/index.js", import.meta.url).href;
  const script = `
    const { startServer } = await import(${JSON.stringify(module)});
    const server = await startServer();
    await server.issueTokens();
    await server.close();`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
  expect({ stdout, stderr }).toEqual({ stdout: "", stderr: "" });
});
