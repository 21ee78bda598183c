/** The claims of a proof about one request (RFC 9449 §4.2). */
export interface ProofClaims {
  readonly url: string;
  readonly method: string;
  /** Epoch milliseconds, as the server counts them. */
  readonly now: number;
  /** The access token that the request carries. The token endpoint gets none. */
  readonly accessToken?: string | undefined;
  /** The last nonce of the server. */
  readonly nonce?: string | undefined;
}

export type ProofCrypto = Pick<Crypto, "subtle" | "randomUUID">;

/** Only this algorithm: every server that has DPoP takes it. */
export const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** The public keys, as a proof has them. */
const published = /* @__PURE__ */ new WeakMap<CryptoKey, Promise<JsonWebKey>>();

/** Makes a DPoP proof: a JWT that only the holder of the key can make, for one request. */
export async function makeProof(crypto: ProofCrypto, { privateKey, publicKey }: CryptoKeyPair, claims: ProofClaims): Promise<string> {
  const { url, method, now, accessToken, nonce } = claims;
  const { kty, crv, x, y } = await exported(crypto, publicKey);
  const { origin, pathname } = new URL(url);
  const payload = {
    jti: crypto.randomUUID(),
    htm: normalized(method),
    htu: origin + pathname,
    iat: Math.floor(now / 1000),
    ...(accessToken && { ath: encoded(await crypto.subtle.digest("SHA-256", bytes(accessToken))) }),
    ...(nonce && { nonce }),
  };
  const parts = [{ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }, payload];
  const signed = parts.map((part) => encoded(bytes(JSON.stringify(part)))).join(".");
  return `${signed}.${encoded(await crypto.subtle.sign(ES256, privateKey, bytes(signed)))}`;
}

function exported(crypto: ProofCrypto, publicKey: CryptoKey): Promise<JsonWebKey> {
  const jwk = published.get(publicKey) ?? crypto.subtle.exportKey("jwk", publicKey);
  published.set(publicKey, jwk);
  // The next proof tries again.
  jwk.catch(() => published.delete(publicKey));
  return jwk;
}

/** The name of a key in tokens and in `dpop_jkt` (RFC 7638). */
export async function thumbprintOf(crypto: ProofCrypto, { publicKey }: CryptoKeyPair): Promise<string> {
  const { kty, crv, x, y } = await exported(crypto, publicKey);
  return encoded(await crypto.subtle.digest("SHA-256", bytes(JSON.stringify({ crv, kty, x, y }))));
}

/** `fetch` writes these methods in upper case, and no other one. */
const normalized = (method: string): string => (/^(delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method);

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const encoded = (data: ArrayBuffer | Uint8Array): string =>
  btoa(String.fromCharCode(...new Uint8Array(data)))
    .replace(/=+$/, "")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
