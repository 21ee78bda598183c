import { createHash } from "node:crypto";
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify } from "jose";

/** In seconds. A proof may be 15 s ahead, as at Keycloak, and a minute old. */
const times = { typ: "dpop+jwt", maxTokenAge: 45, clockTolerance: 15 };
/** In milliseconds. No proof is good for longer, so a used one is remembered for so long. */
const REMEMBERED = 1000 * (times.maxTokenAge + 2 * times.clockTolerance);

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
    used.set(jti, now + REMEMBERED);
    return true;
  }

  /**
   * Returns the challenge with which to refuse the request, or undefined when it proves that its sender has the key of the token (RFC 9449 §7.1).
   * A token that is not bound needs no proof.
   * @param {import("node:http").IncomingMessage} request
   * @param {{ scheme: string, token: string, url: string }} sent
   */
  return async function refusalOf(request, { scheme, token, url }) {
    const { cnf } = /** @type {{ cnf?: { jkt?: string } }} */ (token.includes(".") ? decodeJwt(token) : {});
    if (!cnf?.jkt) return scheme === "bearer" ? undefined : 'Bearer error="invalid_token"';
    if (scheme !== "dpop") return 'DPoP error="invalid_token"';
    try {
      const { payload, protectedHeader } = await jwtVerify(String(request.headers.dpop), EmbeddedJWK, times);
      const thumbprint = await calculateJwkThumbprint(/** @type {import("jose").JWK} */ (protectedHeader.jwk));
      const { htm, htu, ath, jti } = payload;
      if (thumbprint !== cnf.jkt) return 'DPoP error="invalid_token"';
      const fits = htm === request.method && htu === url && ath === hashOf(token);
      if (fits && isFirstUse(jti)) return undefined;
    } catch {
      // It is no proof, or too old.
    }
    return 'DPoP error="invalid_dpop_proof"';
  };
}
