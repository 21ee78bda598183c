import { decodeJwt } from "jose";
import { expect, it, onTestFinished } from "vitest";
import {
  audiences,
  createSession,
  dpop,
  memory,
  oauth2,
  type RefreshFunction,
  SessionError,
  type SessionOptions,
} from "../../src/index.js";
import type { TokenResponse } from "../../src/types/index.js";
import { about, keysOf, ME, start, words } from "./dpop-page.js";
import { API, AUTH, BILLING } from "./dpop-provider.js";

/** A page of the same app whose session has further options. */
function openWith(environment: SessionOptions["environment"], further: object = {}) {
  const proofs = dpop();
  const refresh = oauth2({ issuer: AUTH, clientId: "spa" });
  const session = createSession({ refresh, allowedOrigins: [API], dpop: proofs, environment, ...further } as SessionOptions);
  onTestFinished(session.dispose);
  return { session, proofs };
}

it("each API gets a token that is for it, with a proof by the one key of the session", async () => {
  const { device, clock, servers, failures } = await start({ rotate: true });
  const { session } = openWith(device.tab(), { audiences: audiences({ [BILLING]: {} }) });
  const fetched = async (url: string) => (await clock.until(session.fetch(url))).status;
  expect([await fetched(ME.jwt), await fetched(`${BILLING}/me`), await fetched(ME.jwt)]).toEqual([200, 200, 200]);
  servers.api.nonce = "n-1";
  expect([await fetched(`${BILLING}/me`), await fetched(ME.jwt)]).toEqual([200, 200]);
  const requests = servers.seen();
  expect(words(requests)).toEqual([
    ...["me 200", "token use_dpop_nonce", "token 200", "me 200", "me 200"],
    // Each API has a nonce of its own, although they are the same here.
    ...["me use_dpop_nonce", "me 200", "me use_dpop_nonce", "me 200"],
  ]);
  const sent = about(requests).flatMap(({ authorization }) => authorization?.split(" ")[1] ?? []);
  expect(new Set(sent.map((token) => decodeJwt(token).aud))).toEqual(new Set([API, BILLING]));
  expect([keysOf(requests).size, failures]).toEqual([1, []]);
});

it("in memory mode, another tab gets the token and the key from this one, and hears of its renewals", async () => {
  const { device, clock, servers, page } = await start({ rotate: true });
  const stored = device.stored() as { binding: { keyPair: CryptoKeyPair } };
  page.session.dispose();
  const further = { persist: memory(), name: "in memory" };
  const [first, second] = [openWith(device.tab(), further), openWith(device.tab(), further)];
  await clock.until(first.session.signIn({ ...stored, dpopKeyPair: stored.binding.keyPair }));
  const fetched = async ({ session }: typeof first) => (await clock.until(session.fetch(ME.jwt))).status;
  await clock.advance(100);
  servers.seen();
  expect([await fetched(first), await fetched(second)]).toEqual([200, 200]);
  await clock.advance(2000);
  expect(await clock.until(second.session.refresh())).toBe("adopted");
  expect([await fetched(first), await fetched(second)]).toEqual([200, 200]);
  const requests = servers.seen();
  expect(words(requests)).toEqual(["me 200", "me 200", "token use_dpop_nonce", "token 200", "me 200", "me 200"]);
  expect(keysOf(requests).size).toBe(1);
});

it("a refresh function of the app's own sends its renewals with proofs, and challenges are answered for it", async () => {
  const { device, clock, servers, page } = await start({ rotate: true });
  const stored = device.stored() as { binding: { keyPair: CryptoKeyPair } };
  page.session.dispose();
  let calls = 0;
  const refresh: RefreshFunction = async ({ tokens, signal, fetch }) => {
    calls += 1;
    const form = { grant_type: "refresh_token", client_id: "spa", refresh_token: tokens.refreshToken ?? "" };
    const response = await fetch(`${AUTH}/token`, { method: "POST", body: new URLSearchParams(form), signal });
    if (!response.ok) throw new SessionError(response.status === 400 ? "rejected" : "server", "no tokens");
    return (await response.json()) as TokenResponse;
  };
  const { session } = openWith(device.tab(), { refresh, name: "own" });
  await clock.until(session.signIn({ ...stored, dpopKeyPair: stored.binding.keyPair }));
  const fetched = async () => (await clock.until(session.fetch(ME.jwt))).status;
  servers.seen();
  expect(await fetched()).toBe(200);
  for (let renewal = 0; renewal < 2; renewal += 1) {
    await clock.advance((session.getSnapshot().refreshDueAt ?? 0) - clock.now() + 1000);
    expect(await fetched()).toBe(200);
  }
  const requests = servers.seen();
  // The nonce of the first renewal has expired when the second one is due.
  const renewed = ["token use_dpop_nonce", "token 200", "me 200"];
  expect(words(requests)).toEqual(["me 200", ...renewed, ...renewed]);
  expect(about(requests).every(({ proof }) => proof !== null)).toBe(true);
  expect([keysOf(requests).size, calls, session.getSnapshot().status]).toEqual([1, 2, "signed-in"]);
});

it("a token endpoint whose nonce script cannot read is a mistake in the set-up, and the session stays", async () => {
  const { page, line, servers, refresh, failures } = await start();
  line.hidesNonces = true;
  await expect(refresh()).rejects.toMatchObject({ code: "configuration", message: expect.stringMatching(/Expose-Headers: DPoP-Nonce/) });
  expect([words(servers.seen()), failures]).toEqual([["token use_dpop_nonce"], ["configuration"]]);
  line.hidesNonces = false;
  expect([await refresh(), page.session.getSnapshot().status]).toEqual(["refreshed", "signed-in"]);
});

it("a session without the option leaves the tokens of one that has it alone", async () => {
  const { device, clock, servers, call, refresh } = await start();
  const { session } = openWith(device.tab(), { dpop: undefined });
  await clock.until(session.ready);
  servers.seen();
  const status = await clock.until(session.fetch(ME.jwt)).then(
    (response) => response.status,
    (error) => error.code,
  );
  expect(about(servers.seen()).filter(({ authorization }) => authorization?.startsWith("Bearer"))).toEqual([]);
  expect([401, "newer-release"]).toContain(status);
  await expect(clock.until(session.refresh())).rejects.toMatchObject({ code: "newer-release" });
  await expect(clock.until(session.signIn({ access_token: "x", token_type: "DPoP" } as TokenResponse))).rejects.toMatchObject({
    code: "unsupported-token-type",
  });
  expect([await call(), await refresh(), await call()], "the other goes on").toEqual([200, "refreshed", 200]);
});
