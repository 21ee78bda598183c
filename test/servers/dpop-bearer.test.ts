import * as oauth from "oauth4webapi";
import { expect, it, onTestFinished } from "vitest";
import { createSession, dpop, oauth2 } from "../../src/index.js";
import type { DpopOptions, TokenResponse } from "../../src/types/index.js";
import { withPreflights } from "./cors.js";
import { createDevice } from "./device.js";
import { startRefreshOnly } from "./dpop-refresh-only.js";

const APP = "http://app.test";
const client: oauth.Client = { client_id: "spa" };

/** A page whose login is done, and whose session has not seen the tokens yet. */
async function start(options: DpopOptions) {
  const server = await startRefreshOnly(APP);
  const device = createDevice(APP, Date.now(), withPreflights(fetch, APP));
  const { clock, environment } = device;
  const proofs = dpop(options);
  const tokenEndpoint = `${server.url}/token`;
  const refresh = oauth2({ tokenEndpoint, clientId: "spa" });
  const session = createSession({ refresh, allowedOrigins: [server.url], dpop: proofs, environment });
  onTestFinished(async () => {
    session.dispose();
    await clock.advance(1000);
    await server.close();
  });

  /** Asks for tokens with a proof, and once more with the nonce of the answer. */
  async function ask(grant: string, form: Record<string, string>, keyPair: CryptoKeyPair): Promise<Response> {
    const as = { issuer: server.url, token_endpoint: tokenEndpoint };
    const asked = { DPoP: oauth.DPoP(client, keyPair), [oauth.allowInsecureRequests]: true as const };
    const send = () => oauth.genericTokenEndpointRequest(as, client, oauth.None(), grant, form, asked);
    const response = await send();
    return response.ok ? response : send();
  }

  const answer = await ask("authorization_code", { code: "any" }, await clock.until(proofs.keyPair()));
  const tokens = (await answer.json()) as TokenResponse;
  server.seen();
  return { server, device, clock, session, proofs, tokens, ask };
}

it("a refresh token that is bound alone renews with proofs, and the API gets a bearer, with `acceptBearer`", async () => {
  const { server, device, clock, session, tokens } = await start({ acceptBearer: true });
  await clock.until(session.signIn(tokens));
  const call = async () => (await clock.until(session.fetch(`${server.url}/me`))).status;
  expect([await call(), server.seen()]).toEqual([200, [{ path: "/me", status: 200, authorization: "Bearer", proof: false }]]);
  const stored = [device.stored().refreshToken];
  for (const nonce of ["n-1", "n-2"]) {
    server.nonces.current = nonce;
    await clock.advance((session.getSnapshot().refreshDueAt ?? 0) - clock.now() + 1000);
    const post = { path: "/token", authorization: undefined, proof: true };
    expect(server.seen(), "a challenge for each new nonce").toEqual([
      { ...post, status: 400 },
      { ...post, status: 200 },
    ]);
    expect([await call(), server.seen().length]).toEqual([200, 1]);
    stored.push(device.stored().refreshToken);
  }
  expect(new Set(stored).size).toBe(3);
  expect(session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: false });
});

it("its refresh token is of no use to a thief, and its access token is", async () => {
  const { server, device, clock, session, tokens, ask } = await start({ acceptBearer: true });
  await clock.until(session.signIn(tokens));
  const { refreshToken = "", accessToken } = device.stored();
  const stolen = await ask("refresh_token", { refresh_token: refreshToken }, await oauth.generateKeyPair("ES256"));
  expect([stolen.status, await stolen.json()]).toEqual([400, { error: "invalid_grant" }]);
  const asBearer = await fetch(`${server.url}/me`, { headers: { authorization: `Bearer ${accessToken}` } });
  expect(asBearer.status).toBe(200);
  await clock.advance(1500);
  expect(await clock.until(session.refresh()), "the owner goes on").toBe("refreshed");
});

it("the sign-in with such an answer is refused without `acceptBearer`, and no session begins", async () => {
  const { server, device, clock, session, tokens } = await start({});
  await expect(clock.until(session.signIn(tokens))).rejects.toMatchObject({ code: "unsupported-token-type" });
  expect(session.getSnapshot()).toMatchObject({ status: "signed-out", claims: null });
  expect([device.stored(), server.seen()], "nothing is stored, and nothing is sent").toEqual([undefined, []]);
});
