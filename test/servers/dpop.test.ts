import * as oauth from "oauth4webapi";
import { describe, expect, it } from "vitest";
import { about, ME, start, words } from "./dpop-page.js";
import { AUTH, type DpopServers, type Seen } from "./dpop-provider.js";

/** Who has the refresh token asks for another access token, with a key of its own or without one. */
async function steal({ network }: DpopServers, refreshToken: string, keyPair?: CryptoKeyPair) {
  const client: oauth.Client = { client_id: "spa" };
  const as = { issuer: AUTH, token_endpoint: `${AUTH}/token` };
  const DPoP = keyPair && oauth.DPoP(client, keyPair);
  const ask = () =>
    oauth.refreshTokenGrantRequest(as, client, oauth.None(), refreshToken, {
      ...(DPoP && { DPoP }),
      [oauth.customFetch]: (url: string, init: object) => network(url, init),
    });
  const first = await ask();
  return (first.ok || !DPoP ? first : await ask()).json() as Promise<{ error?: string; access_token?: string }>;
}

describe.each([
  ["JWT", "rotation", "jwt", true],
  ["opaque", "rotation", "opaque", true],
  ["JWT", "no rotation", "jwt", false],
  ["opaque", "no rotation", "opaque", false],
] as const)("oidc-provider with DPoP and nonces, %s, %s", (_format, _rotation, format, rotate) => {
  const options = { format, rotate } as const;
  // oidc-provider's own endpoint wants nonces; the API beside it does not yet.
  const called = format === "jwt" ? ["me 200"] : ["me use_dpop_nonce", "me 200"];
  const again = [called.at(-1)!];

  it("takes the code, the calls and the renewals of the sample in the docs", async () => {
    const { page, device, login, servers, call, refresh, failures } = await start(options);
    expect(words(login)).toEqual(["token use_dpop_nonce", "token 200"]);
    const before = device.stored();
    expect(before.tokenType).toBe("DPoP");
    expect(await call()).toBe(200);
    expect(words(servers.seen())).toEqual(called);
    expect(await refresh()).toBe("refreshed");
    const renewal = servers.seen();
    expect(words(renewal), "the nonce of the token endpoint is learnt once").toEqual(["token use_dpop_nonce", "token 200"]);
    expect(new Set(about(renewal).map(({ form }) => form.refresh_token)).size, "the refresh token is good after the challenge").toBe(1);
    expect(await refresh()).toBe("refreshed");
    expect(await call()).toBe(200);
    expect(words(servers.seen())).toEqual(["token 200", ...again]);
    expect(device.stored().refreshToken !== before.refreshToken, "another refresh token").toBe(rotate);
    expect([page.session.getSnapshot().status, failures]).toEqual(["signed-in", []]);
  });

  it("renews for a day by itself, with a stale nonce each time, and counts no challenge as a failure", async () => {
    const { page, clock, servers, call, failures } = await start(options);
    await call();
    servers.seen();
    await clock.advance(86_400_000);
    const renewals = words(servers.seen());
    expect(renewals.length).toBeGreaterThan(40);
    expect(new Set(renewals.filter((_, index) => index % 2 === 0))).toEqual(new Set(["token use_dpop_nonce"]));
    expect(new Set(renewals.filter((_, index) => index % 2 === 1))).toEqual(new Set(["token 200"]));
    expect(await call()).toBe(200);
    expect([page.session.getSnapshot().status, failures]).toEqual(["signed-in", []]);
  });

  it("gives nothing for stolen tokens: by another key, as a bearer, or with a proof that came before", async () => {
    const { device, servers, me, call, refresh, failures } = await start(options);
    await call();
    const [{ proof, authorization }] = about(servers.seen()).slice(-1) as [Seen];
    const { refreshToken = "", accessToken = "" } = device.stored();
    const thief = await oauth.generateKeyPair("ES256");
    expect(await steal(servers, refreshToken, thief)).toMatchObject({ error: "invalid_grant" });
    expect(await steal(servers, refreshToken)).toMatchObject({ error: "invalid_grant" });
    const replayed = await servers.network(me, { headers: { authorization: authorization!, dpop: proof! } });
    expect([replayed.status, ((await replayed.json()) as { error: string }).error]).toEqual([
      401,
      format === "jwt" ? "invalid_dpop_proof" : "invalid_token",
    ]);
    expect((await servers.network(me, { headers: { authorization: `Bearer ${accessToken}` } })).status).toBe(401);
    const DPoP = oauth.DPoP({}, thief);
    const asThief = { DPoP, [oauth.customFetch]: (url: string, init: object) => servers.network(url, init) };
    const request = () => oauth.protectedResourceRequest(accessToken, "GET", new URL(me), new Headers(), undefined, asThief);
    const asked = await request()
      .catch((error) => (oauth.isDPoPNonceError(error) ? request() : Promise.reject(error)))
      .catch((error) => error);
    expect(asked).toMatchObject({ status: 401, cause: [{ parameters: { error: "invalid_token" } }] });
    expect([await call(), await refresh(), await call(), failures], "the owner goes on").toEqual([200, "refreshed", 200, []]);
  });

  it("revokes at sign-out, without a proof, and the key is gone", async () => {
    const { page, clock, device, servers, failures } = await start(options);
    const { refreshToken = "" } = device.stored();
    const { keyPair } = (device.stored() as { binding: { keyPair: CryptoKeyPair } }).binding;
    await clock.until(page.session.signOut());
    await clock.advance(1000);
    const requests = servers.seen();
    expect(words(requests)).toEqual(["revocation 200"]);
    expect(about(requests)[0]).toMatchObject({ proof: null, authorization: null, form: { token: refreshToken, client_id: "spa" } });
    expect(device.stored(), "neither tokens nor key").toBeUndefined();
    expect(await steal(servers, refreshToken, keyPair), "by the very key").toMatchObject({ error: "invalid_grant" });
    await expect(clock.until(page.proofs.proof({ url: ME[format] }))).rejects.toMatchObject({ code: "signed-out" });
    expect(failures).toEqual([]);
  });
});
