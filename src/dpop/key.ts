import { SessionError } from "../errors.js";
import { readClaims } from "../token/claims.js";
import type { Environment } from "../types/environment.js";
import type { TokenSet } from "../types/index.js";
import { ES256, type ProofCrypto, thumbprintOf } from "./proof.js";

/** Whether the value is a pair of keys that can sign proofs. It may come from storage, from a message or from the app. */
export function isKeyPair(value: unknown): value is CryptoKeyPair {
  const { privateKey, publicKey } = Object(value) as Partial<CryptoKeyPair>;
  const { name, namedCurve } = Object(privateKey?.algorithm) as Partial<EcKeyAlgorithm>;
  return privateKey?.type === "private" && publicKey?.type === "public" && name === ES256.name && namedCurve === ES256.namedCurve;
}

/** @throws {SessionError} `configuration` where the page has no WebCrypto */
export function cryptoOf({ crypto }: Environment): ProofCrypto {
  if (crypto?.subtle) return crypto;
  throw new SessionError("configuration", "dpop: the page has no crypto.subtle; serve it over https");
}

/** Returns the key to which a JWT says that it is bound (RFC 9449 §6.1), or undefined when the token does not tell. */
export async function keyOf(
  { accessToken }: TokenSet,
  keys: CryptoKeyPair[],
  environment: Environment,
): Promise<CryptoKeyPair | undefined> {
  const { jkt } = Object(readClaims(accessToken)?.cnf) as { jkt?: unknown };
  if (jkt && keys.length > 1) for (const key of keys) if ((await thumbprintOf(cryptoOf(environment), key)) === jkt) return key;
  return undefined;
}

/** Makes a key that script can use, but not read. */
export const makeKeyPair = (environment: Environment): Promise<CryptoKeyPair> =>
  cryptoOf(environment).subtle.generateKey(ES256, false, ["sign", "verify"]);
