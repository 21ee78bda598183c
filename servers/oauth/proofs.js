import { createHash } from "node:crypto";
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify } from "jose";

/** Seconds. An older proof is refused, so a used one has to be remembered for so long. */
const AGE = 60;

const hashOf = (/** @type {string} */ token) => createHash("sha256").update(token).digest("base64url");

/** Judges the proofs of an API. Each proof is good once. */
export function createProofs() {
  /**
   * The used proofs, and until when they are remembered: the oldest first.
   * @type {Map<string, number>}
   */
  const used = new Map();

  function isFirstUse(/** @type {unknown} */ jti) {
    const now = Date.now();
    for (const [old, until] of used) {
      if (until > now) break;
      used.delete(old);
    }
    if (typeof jti !== "string" || used.has(jti)) return false;
    used.set(jti, now + 2 * AGE * 1000);
    return true;
  }

  /**
   * Whether the request proves that its sender has the key of the token (RFC 9449 §7.1). A token that is not bound needs no proof.
   * @param {import("node:http").IncomingMessage} request
   * @param {{ scheme: string, token: string, url: string }} sent
   */
  return async function provesPossession(request, { scheme, token, url }) {
    const { cnf } = /** @type {{ cnf?: { jkt?: string } }} */ (token.includes(".") ? decodeJwt(token) : {});
    if (!cnf?.jkt) return scheme === "bearer";
    try {
      const proof = String(request.headers.dpop);
      const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt", maxTokenAge: AGE });
      const thumbprint = await calculateJwkThumbprint(/** @type {import("jose").JWK} */ (protectedHeader.jwk));
      const { htm, htu, ath, jti } = payload;
      const fits = scheme === "dpop" && thumbprint === cnf.jkt && htm === request.method && htu === url && ath === hashOf(token);
      return fits && isFirstUse(jti);
    } catch {
      return false;
    }
  };
}
