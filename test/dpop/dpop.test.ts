import { expect, it } from "vitest";
import { createSession, dpop } from "../../src/index.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { World } from "../../src/testing/world.js";

const { subtle } = globalThis.crypto;
const newPair = () => subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
/** Made before, since virtual time does not wait for them. */
const keys = await Promise.all([newPair(), newPair(), newPair()]);
const nameOf = async (pair: CryptoKeyPair | undefined) => pair && (await subtle.exportKey("jwk", pair.publicKey)).x;
const tokens = (accessToken: string) => ({ accessToken, refreshToken: `r-${accessToken}`, expiresIn: 300, token_type: "DPoP" });

/** Tabs of one browser, and the name of the key to which the stored tokens are bound. */
function browser() {
  const world = new World();
  const unused = [...keys];
  const crypto = { subtle: { generateKey: async () => unused.shift() } } as unknown as Crypto;
  const open = () => {
    const proofs = dpop();
    const environment = { ...world.tab().environment, crypto };
    const refresh = Object.assign(async () => ({}), { id: "test" });
    const session = createSession({ refresh, name: "app", environment, dpop: proofs });
    return { proofs, signIn: (token: string, more = {}) => session.signIn({ ...tokens(token), ...more }) };
  };
  const bound = () => {
    const stored = world.stores.names().map((name) => world.stores.read(name) as LedgerRecord);
    return Promise.all(stored.map(async ({ tokens }) => [tokens?.accessToken, await nameOf(tokens?.binding?.keyPair)]));
  };
  return { clock: world.clock, open, bound };
}

it("binds the tokens to the key that was there as signIn read it, when another tab's sign-in takes that key in the same moment", async () => {
  const { clock, open, bound } = browser();
  const one = open();
  const key = await clock.until(one.proofs.keyPair());
  // The login of the other tab had the same key. Its page has just come back from the redirect.
  const both = [open().signIn("b"), one.signIn("a")];
  await clock.until(Promise.allSettled(both));
  expect(await bound()).toEqual([[expect.any(String), await nameOf(key)]]);
});

it("keeps the key of a login that is under way when a sign-in brings its own", async () => {
  const { clock, open, bound } = browser();
  const tab = open();
  const key = await clock.until(tab.proofs.keyPair());
  await clock.until(tab.signIn("a", { dpopKeyPair: await newPair() }));
  await clock.until(tab.signIn("b"));
  expect(await bound()).toEqual([["b", await nameOf(key)]]);
});
