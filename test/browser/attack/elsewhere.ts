import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { readBody } from "../../../servers/http.js";
import type { Server } from "../../../servers/oauth/index.js";
import type { Loot } from "./injected.js";

// The attacker's own machine: it has the text that the script has sent, and nothing of the page.

/** One try to use a stolen text. */
export interface Attempt {
  readonly at: "the API" | "the token endpoint";
  readonly how: "as it is" | "with another key" | "with a stolen proof";
  readonly status: number;
  readonly error: string | undefined;
}

/** The attacker's server. Each page can send texts to it. */
export async function startCollector() {
  let take: (loot: Loot) => void;
  const loot = new Promise<Loot>((resolve) => {
    take = resolve;
  });
  const http = createServer(async (request, response) => {
    const body = await readBody(request);
    response.writeHead(204).end();
    take(JSON.parse(body.toString()));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    url: `http://localhost:${(http.address() as AddressInfo).port}`,
    loot,
    async close() {
      http.closeAllConnections();
      http.close();
    },
  };
}

interface Key {
  readonly privateKey: CryptoKey | Uint8Array;
  readonly jwk: JWK;
}

const isProof = (text: string): boolean => {
  try {
    return decodeProtectedHeader(text).typ === "dpop+jwt";
  } catch {
    return false;
  }
};

/** All texts that may be a token or a proof. */
function textsIn(loot: Loot): string[] {
  return [...new Set(JSON.stringify(loot).match(/[\w-]{20,}(\.[\w-]{20,}){0,2}/g))];
}

/** The private keys that are whole in the loot. */
async function keysIn(value: unknown): Promise<Key[]> {
  if (typeof value !== "object" || value === null) return [];
  const { kty, crv, x, y, d } = value as JWK;
  if (kty === "EC" && d) return [{ privateKey: await importJWK(value as JWK, "ES256"), jwk: { kty, crv, x, y } as JWK }];
  return (await Promise.all(Object.values(value).map(keysIn))).flat();
}

async function ownKey(): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  return { privateKey, jwk: await exportJWK(publicKey) };
}

interface Claims {
  readonly htm: string;
  readonly htu: string;
  readonly nonce?: string;
}

function proofOf({ privateKey, jwk }: Key, claims: Claims, token?: string): Promise<string> {
  const ath = token && createHash("sha256").update(token).digest("base64url");
  const header = { typ: "dpop+jwt", alg: "ES256", jwk };
  return new SignJWT({ ...claims, ...(ath && { ath }), jti: randomUUID() }).setProtectedHeader(header).setIssuedAt().sign(privateKey);
}

/** Tries each stolen text as each kind of token, in each way. */
export async function useElsewhere(loot: Loot, { url, tokenEndpoint, clientId }: Server): Promise<Attempt[]> {
  const api = `${url}/api/me`;
  const texts = textsIn(loot);
  const proofs = texts.filter(isProof).map((proof) => ({ proof, ...(decodeJwt(proof) as { htm: string; htu: string }) }));
  const tokens = texts.filter((text) => !isProof(text));
  const keys = [await ownKey(), ...(await keysIn(loot))];
  const attempts: Attempt[] = [];

  async function note({ at, how }: Pick<Attempt, "at" | "how">, answer: Response): Promise<Response> {
    const { error } = await answer.json();
    attempts.push({ at, how, status: answer.status, error });
    return answer;
  }
  async function call(how: Attempt["how"], token: string, { proof, method = "GET", address = api }: Record<string, string> = {}) {
    const headers = { authorization: `${proof ? "DPoP" : "Bearer"} ${token}`, ...(proof && { dpop: proof }) };
    return note({ at: "the API", how }, await fetch(address, { method, headers }));
  }
  async function renew(how: Attempt["how"], token: string, proof?: string) {
    const body = new URLSearchParams({ grant_type: "refresh_token", client_id: clientId, refresh_token: token });
    return note(
      { at: "the token endpoint", how },
      await fetch(tokenEndpoint, { method: "POST", body, ...(proof && { headers: { dpop: proof } }) }),
    );
  }

  for (const token of tokens) {
    await call("as it is", token);
    await renew("as it is", token);
    for (const key of keys) {
      await call("with another key", token, { proof: await proofOf(key, { htm: "GET", htu: api }, token) });
      const challenge = await renew("with another key", token, await proofOf(key, { htm: "POST", htu: tokenEndpoint }));
      const nonce = challenge.headers.get("dpop-nonce");
      if (nonce) await renew("with another key", token, await proofOf(key, { htm: "POST", htu: tokenEndpoint, nonce }));
    }
    for (const { proof, htm, htu } of proofs) {
      if (htu === tokenEndpoint) await renew("with a stolen proof", token, proof);
      else await call("with a stolen proof", token, { proof, method: htm, address: htu });
    }
  }
  return attempts;
}
