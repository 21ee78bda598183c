import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from "jose";
import type { State } from "./state.js";

/** A proof that a request has the key with this thumbprint (RFC 9449). */
export interface Proof {
  readonly jkt: string;
  readonly jti: string;
  readonly nonce: unknown;
}

/** Seconds. An older proof is refused, so a used one has to be remembered for so long. */
const AGE = 60;

const hashOf = async (text: string): Promise<string> =>
  btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))))
    .replace(/=+$/, "")
    .replaceAll("+", "-")
    .replaceAll("/", "_");

/** The nonce that the token endpoint wants in each proof. So the time of the device does not matter there. */
export function nonceOf(state: State): string {
  state.nonce ??= crypto.randomUUID();
  return state.nonce;
}

/**
 * Reads the proof of a request. Undefined without a good one. With an access token, the proof has to be new, and for this token; without one,
 * the caller judges the nonce.
 */
export async function proofOf({ url, method, headers }: Request, accessToken?: string): Promise<Proof | undefined> {
  const proof = headers.get("dpop");
  if (proof === null) return undefined;
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: "dpop+jwt",
      ...(accessToken !== undefined && { maxTokenAge: AGE }),
    });
    const { origin, pathname } = new URL(url);
    const { htm, htu, jti, ath, nonce } = payload;
    const fits = htm === method && htu === origin + pathname && (accessToken === undefined || ath === (await hashOf(accessToken)));
    if (!fits || jti === undefined) return undefined;
    return { jkt: await calculateJwkThumbprint(protectedHeader.jwk as JWK), jti, nonce };
  } catch {
    return undefined;
  }
}

/** Whether the request proves that it has the key. A proof is good once. */
export function proves(state: State, jkt: string, proof: Proof | undefined): boolean {
  if (proof?.jkt !== jkt) return false;
  const now = Date.now();
  state.proofs ??= {};
  for (const [jti, until] of Object.entries(state.proofs)) if (until < now) delete state.proofs[jti];
  if (Object.hasOwn(state.proofs, proof.jti)) return false;
  state.proofs[proof.jti] = now + 2 * AGE * 1000;
  return true;
}
