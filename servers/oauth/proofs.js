import { createHash } from "node:crypto";
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify } from "jose";

const hashOf = (/** @type {string} */ token) => createHash("sha256").update(token).digest("base64url");

/** In seconds. A proof may be 15 s ahead, as at Keycloak, and a minute old. */
const times = { typ: "dpop+jwt", maxTokenAge: 45, clockTolerance: 15 };

/**
 * Returns the challenge with which to refuse the request, or undefined when it proves that its sender has the key of the token (RFC 9449 §7.1).
 * A token that is not bound needs no proof.
 * @param {import("node:http").IncomingMessage} request
 * @param {{ scheme: string, token: string, url: string }} sent
 */
export async function refusalOf(request, { scheme, token, url }) {
  const { cnf } = /** @type {{ cnf?: { jkt?: string } }} */ (token.includes(".") ? decodeJwt(token) : {});
  if (!cnf?.jkt) return scheme === "bearer" ? undefined : 'Bearer error="invalid_token"';
  if (scheme !== "dpop") return 'DPoP error="invalid_token"';
  try {
    const { payload, protectedHeader } = await jwtVerify(String(request.headers.dpop), EmbeddedJWK, times);
    const thumbprint = await calculateJwkThumbprint(/** @type {import("jose").JWK} */ (protectedHeader.jwk));
    const { htm, htu, ath } = payload;
    if (thumbprint !== cnf.jkt) return 'DPoP error="invalid_token"';
    if (htm === request.method && htu === url && ath === hashOf(token)) return undefined;
  } catch {
    // It is no proof, or too old.
  }
  return 'DPoP error="invalid_dpop_proof"';
}
