import { SessionError } from "../errors.js";
import type { Environment } from "../types/environment.js";
import { ES256, type ProofCrypto } from "./proof.js";

/** Whether the value is a pair of keys that can sign proofs. It may come from storage, from a message or from the app. */
export function isKeyPair(value: unknown): value is CryptoKeyPair {
  const { privateKey, publicKey } = Object(value) as Partial<CryptoKeyPair>;
  const { namedCurve } = Object(privateKey?.algorithm) as { namedCurve?: unknown };
  return privateKey?.type === "private" && publicKey?.type === "public" && namedCurve === ES256.namedCurve;
}

/** @throws {SessionError} `configuration` where the page has no WebCrypto */
export function cryptoOf({ crypto }: Environment): ProofCrypto {
  if (crypto?.subtle) return crypto;
  throw new SessionError("configuration", "dpop: the page has no crypto.subtle; serve it over https");
}

/** Makes a key that script can use, but not read. */
export const makeKeyPair = (environment: Environment): Promise<CryptoKeyPair> =>
  cryptoOf(environment).subtle.generateKey(ES256, false, ["sign", "verify"]);
