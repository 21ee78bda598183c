import { decodeProtectedHeader, SignJWT } from "jose";
import { calculatePKCECodeChallenge } from "oauth4webapi";
import { expect, it, vi } from "vitest";
import type { TokenResponse, TokenSet } from "../../src/types/index.js";
import { about, ME, start } from "./dpop-page.js";
import { API, AUTH, type DpopServers, type Seen } from "./dpop-provider.js";

const MINUTE = 60_000;

/** What script of the page has: the tokens, the key as the database gives it, and a proof that the session sent. */
async function injected({ call, servers, device }: Awaited<ReturnType<typeof start>>) {
  expect(await call()).toBe(200);
  const [{ proof }] = about(servers.seen()).slice(-1) as [Seen];
  const { accessToken, binding } = device.stored() as unknown as { accessToken: string; binding: { keyPair: CryptoKeyPair } };
  const header = decodeProtectedHeader(proof!) as { alg: string; typ: string };
  return { accessToken, keyPair: binding.keyPair, header };
}

/** Sends a stolen token elsewhere, with a proof that was made in the page. */
const sendElsewhere = async ({ network }: DpopServers, address: string, accessToken: string, dpop: string) =>
  (await network(address, { headers: { authorization: `DPoP ${accessToken}`, dpop } })).status;

it("script of the page cannot copy the key of the tokens", async () => {
  const { keyPair } = await injected(await start());
  for (const format of ["jwk", "pkcs8"] as const) await expect(crypto.subtle.exportKey(format, keyPair.privateKey)).rejects.toThrow();
});

it.each([
  ["is good later, at an API without nonces", undefined, 200],
  ["is refused at an API whose nonce is another one by then", "n-1", 401],
] as const)("a proof that script has made ahead %s", async (_, nonce, status) => {
  const browser = await start({ nonces: "never" });
  const { servers, clock } = browser;
  servers.api.nonce = nonce;
  const { accessToken, keyPair, header } = await injected(browser);
  const later = Math.floor(clock.now() / 1000) + 30 * 60;
  const ath = await calculatePKCECodeChallenge(accessToken);
  const claims = { htm: "GET", htu: ME.jwt, ath, iat: later, jti: "made ahead", ...(nonce && { nonce }) };
  const proof = await new SignJWT(claims).setProtectedHeader(header).sign(keyPair.privateKey);
  await clock.advance(30 * MINUTE);
  vi.setSystemTime(clock.now());
  if (nonce) servers.api.nonce = "n-2";
  expect(await sendElsewhere(servers, `${API}/orders`, accessToken, proof), "at another address").toBe(401);
  expect(await sendElsewhere(servers, ME.jwt, accessToken, proof)).toBe(status);
  expect(await sendElsewhere(servers, ME.jwt, accessToken, proof), "twice").toBe(401);
});

it.each([
  ["brings a token of no use at an API, without nonces", "never", [200, 401]],
  ["is refused, with nonces", "required", [400]],
] as const)("a proof for the token endpoint that script has made ahead %s", async (_, nonces, statuses) => {
  const browser = await start({ nonces });
  const { servers, clock, device, refresh } = browser;
  expect(await refresh(), "the record has the nonce of the token endpoint").toBe("refreshed");
  const { keyPair, header } = await injected(browser);
  const { refreshToken = "", binding } = device.stored() as TokenSet & { binding: { nonce?: { value: string } } };
  const later = Math.floor(clock.now() / 1000) + 30 * 60;
  const claims = { htm: "POST", htu: `${AUTH}/token`, iat: later, jti: "made ahead", nonce: binding.nonce?.value };
  const dpop = await new SignJWT(claims).setProtectedHeader(header).sign(keyPair.privateKey);
  await clock.advance(30 * MINUTE);
  vi.setSystemTime(clock.now());
  const form = { grant_type: "refresh_token", client_id: "spa", refresh_token: refreshToken };
  const answer = await servers.network(`${AUTH}/token`, { method: "POST", body: new URLSearchParams(form), headers: { dpop } });
  const { access_token: stolen } = (await answer.json()) as Partial<TokenResponse>;
  const seen = [answer.status, ...(stolen ? [await sendElsewhere(servers, ME.jwt, stolen, dpop)] : [])];
  expect(seen).toEqual(statuses);
});
