import * as oauth from "oauth4webapi";
import { expect, it, onTestFinished } from "vitest";
import { createSession, dpop, oauth2 } from "../../../src/index.js";
import { withPreflights } from "../cors.js";
import { createDevice } from "../device.js";
import { glewlwydMissing, startGlewlwyd } from "./glewlwyd.js";

/** A page that has logged in there with the key of its session, and what it has sent since. `origin`: the page's; the server's own by default. */
async function start(nonces: "nonces" | "no nonces", origin?: string, ahead = 0) {
  const missing = glewlwydMissing();
  if (missing) throw new Error(missing);
  const server = await startGlewlwyd({ lifetime: 60, plugin: "oidc", dpop: nonces });
  onTestFinished(server.close);
  const { url, clientId, issuer } = server;
  const at = { token: url + server.tokenPath, api: url + server.apiPath };
  const sent: string[] = [];
  const network: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const response = await fetch(request);
    const { error } = (await response
      .clone()
      .json()
      .catch(() => ({}))) as { error?: string };
    if (request.method !== "OPTIONS") sent.push(`${new URL(request.url).pathname.split("/").at(-1)} ${error ?? response.status}`);
    return response;
  };
  const device = createDevice(origin ?? url, Date.now() + ahead, withPreflights(network, origin ?? url));
  const { clock, environment } = device;
  const proofs = dpop();
  const session = createSession({
    refresh: oauth2({ tokenEndpoint: at.token, clientId }),
    allowedOrigins: [url],
    dpop: proofs,
    environment,
  });
  onTestFinished(session.dispose);

  const DPoP = oauth.DPoP({}, await clock.until(proofs.keyPair()));
  const { grant_type, ...form } = await server.authorize({ dpop_jkt: await DPoP.calculateThumbprint() });
  const as = { issuer, token_endpoint: at.token };
  const exchange = () =>
    oauth.genericTokenEndpointRequest(as, { client_id: clientId }, oauth.None(), grant_type, form, {
      ...{ DPoP, [oauth.allowInsecureRequests]: true },
    });
  const first = await exchange();
  const answer = first.ok ? first : await exchange();
  await clock.until(session.signIn(await answer.json()));
  const call = async () => (await clock.until(session.fetch(at.api))).status;
  const refresh = async () => {
    await clock.advance(1500);
    return clock.until(session.refresh());
  };
  return { device, clock, session, sent, at, call, refresh };
}

it("binds the tokens of a page of another origin, where no nonce is wanted", { timeout: 60_000 }, async () => {
  const { device, session, sent, at, call, refresh } = await start("no nonces", "http://app.test");
  const stored = [device.stored().refreshToken];
  for (let time = 0; time < 2; time += 1) {
    expect([await call(), await refresh()]).toEqual([200, "refreshed"]);
    stored.push(device.stored().refreshToken);
  }
  expect(sent).toEqual(["userinfo 200", "token 200", "userinfo 200", "token 200"]);
  expect([new Set(stored).size, device.stored().tokenType], "rotation").toEqual([3, "DPoP"]);
  const bearer = await fetch(at.api, { headers: { authorization: `Bearer ${session.peekToken()}` } });
  expect(bearer.status, "as a bearer").toBe(401);
});

it("a page of its own origin reads the nonces, and no challenge uses a refresh token up", { timeout: 60_000 }, async () => {
  const { session, sent, call, refresh } = await start("nonces");
  for (let time = 0; time < 12; time += 1) expect([await call(), await refresh()]).toEqual([200, "refreshed"]);
  // A nonce is good for ten requests. Here the device's clock runs faster than the server's, which the server notices in between.
  expect(sent.slice(0, 4)).toEqual(["userinfo 401", "userinfo 200", "token use_dpop_nonce", "token 200"]);
  expect(sent.filter((word) => word.endsWith(" 200"))).toHaveLength(24);
  expect(session.getSnapshot().status).toBe("signed-in");
});

it.each([3_600_000, -3_600_000])(
  "a clock that is wrong by %d ms is put right after its first refusal",
  { timeout: 60_000 },
  async (ahead) => {
    const { device, session, sent, call, refresh } = await start("no nonces", "http://app.test", ahead);
    expect([await call(), await refresh(), await call()]).toEqual([200, "refreshed", 200]);
    // Its API refuses the proof in its body alone, so the session renews, and learns the time there.
    expect(sent).toEqual([
      ...["userinfo invalid_dpop_proof", "token invalid_dpop_proof", "token 200", "userinfo 200"],
      ...["token 200", "userinfo 200"],
    ]);
    expect([device.stored().tokenType, session.getSnapshot().status]).toEqual(["DPoP", "signed-in"]);
  },
);

it("exposes no nonce, and a page of another origin says so", { timeout: 60_000 }, async () => {
  const { session, sent, refresh } = await start("nonces", "http://app.test");
  await expect(refresh()).rejects.toMatchObject({ code: "configuration", message: expect.stringMatching(/DPoP-Nonce/) });
  expect([sent, session.getSnapshot().status]).toEqual([["token use_dpop_nonce"], "signed-in"]);
});
