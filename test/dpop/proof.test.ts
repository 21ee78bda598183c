import { createHash } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, importJWK, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { ES256, makeProof } from "../../src/dpop/proof.js";

const NOW = Date.UTC(2030, 0, 1);

async function setUp() {
  const keyPair = await crypto.subtle.generateKey(ES256, false, ["sign", "verify"]);
  const prove = async (claims: Partial<Parameters<typeof makeProof>[2]> = {}) => {
    const proof = await makeProof(crypto, keyPair, { url: "https://api.test/me", method: "GET", now: NOW, ...claims });
    const [head = ""] = proof.split(".");
    const header = JSON.parse(Buffer.from(head, "base64url").toString());
    const { payload } = await jwtVerify(proof, await importJWK(header.jwk, "ES256"), { typ: "dpop+jwt", currentDate: new Date(NOW) });
    return { header, payload, proof };
  };
  return { keyPair, prove };
}

describe("a DPoP proof (RFC 9449 §4.2)", () => {
  it("is signed with the key that it names, and has the public part of it alone", async () => {
    const { keyPair, prove } = await setUp();
    const { header } = await prove();
    expect(header).toEqual({ typ: "dpop+jwt", alg: "ES256", jwk: expect.anything() });
    expect(Object.keys(header.jwk).sort()).toEqual(["crv", "kty", "x", "y"]);
    expect(await calculateJwkThumbprint(header.jwk)).toBe(await calculateJwkThumbprint(await exportJWK(keyPair.publicKey)));
  });

  it("names the method as `fetch` writes it, and the address without query and fragment", async () => {
    const { prove } = await setUp();
    const { payload } = await prove({ url: "https://API.test:443/a%20b/?token=1#top", method: "post" });
    expect(payload).toMatchObject({ htm: "POST", htu: "https://api.test/a%20b/", iat: NOW / 1000 });
    expect((await prove({ method: "patch" })).payload.htm).toBe("patch");
  });

  it("has a number of its own, so a server sees a repetition", async () => {
    const { prove } = await setUp();
    const [one, other] = [await prove(), await prove()];
    expect(one.payload.jti).not.toBe(other.payload.jti);
    expect(`${one.payload.jti}`.length).toBeGreaterThan(20);
  });

  it("has the hash of the access token, and the nonce, only where there is one", async () => {
    const { prove } = await setUp();
    expect(Object.keys((await prove()).payload).sort()).toEqual(["htm", "htu", "iat", "jti"]);
    const { payload, proof } = await prove({ accessToken: "secret-token", nonce: "n-1" });
    expect(payload).toMatchObject({ ath: createHash("sha256").update("secret-token").digest("base64url"), nonce: "n-1" });
    expect(proof).not.toContain("secret-token");
  });
});
