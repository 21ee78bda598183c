import type { ProofCrypto } from "../../../src/dpop/proof.js";

/**
 * A key of the simulated browser. Like a real one, it has its members in its prototype: a text of it in JSON says nothing, and two keys look
 * alike there.
 */
class FakeKey {
  readonly #id: string;
  readonly #type: "private" | "public";

  constructor(id: string, type: "private" | "public") {
    this.#id = id;
    this.#type = type;
  }

  get id(): string {
    return this.#id;
  }

  get type(): "private" | "public" {
    return this.#type;
  }

  get algorithm() {
    return { name: "ECDSA", namedCurve: "P-256" };
  }

  get extractable(): boolean {
    return this.#type === "public";
  }
}

const idOf = (key: unknown): string => (key as FakeKey).id;

/** What a key is called. */
export const nameOf = (pair: CryptoKeyPair | undefined): string | undefined => pair && idOf(pair.publicKey);

/** WebCrypto without cryptography: the signature is the name of the key, and the digest of a text is the text. It answers in microtasks. */
export function fakeCrypto(): ProofCrypto {
  let keys = 0;
  let uuids = 0;
  const bytes = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer as ArrayBuffer;
  const subtle = {
    async generateKey() {
      keys += 1;
      return { privateKey: new FakeKey(`k${keys}`, "private"), publicKey: new FakeKey(`k${keys}`, "public") };
    },
    exportKey: async (_format: string, key: unknown) => ({ kty: "EC", crv: "P-256", x: idOf(key), y: idOf(key) }),
    sign: async (_algorithm: unknown, key: unknown) => bytes(idOf(key)),
    digest: async (_algorithm: string, data: Uint8Array<ArrayBuffer>) => data.buffer,
  };
  return { subtle, randomUUID: () => `uuid-${++uuids}` } as unknown as ProofCrypto;
}

/** What a proof says. */
export interface Proof {
  /** The name of its key. */
  readonly key: string;
  readonly jti: string;
  readonly htm: string;
  readonly htu: string;
  readonly iat: number;
  readonly nonce?: string;
  /** The access token, since the digest of a text is the text. */
  readonly token?: string;
}

const decoded = (part = ""): string => Buffer.from(part, "base64url").toString();

/** Reads a proof, as a server does. Undefined if its signature is of another key than it says, or if it is none. */
export function readProof(proof: string): Proof | undefined {
  const [header, payload, signature] = proof.split(".").map(decoded);
  try {
    const { typ, jwk } = JSON.parse(header ?? "");
    const { ath, ...claims } = JSON.parse(payload ?? "");
    if (typ !== "dpop+jwt" || jwk.x !== signature) return undefined;
    return { ...claims, key: jwk.x, ...(ath && { token: decoded(ath) }) };
  } catch {
    return undefined;
  }
}
