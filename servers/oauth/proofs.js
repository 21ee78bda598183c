import { createHash } from "node:crypto";
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify } from "jose";

const hashOf = (/** @type {string} */ token) => createHash("sha256").update(token).digest("base64url");

/**
 * Whether the request proves that its sender has the key of the token (RFC 9449 §7.1). A token that is not bound needs no proof.
 * @param {import("node:http").IncomingMessage} request
 * @param {{ scheme: string, token: string, url: string }} sent
 */
export async function provesPossession(request, { scheme, token, url }) {
  const { cnf } = /** @type {{ cnf?: { jkt?: string } }} */ (token.includes(".") ? decodeJwt(token) : {});
  if (!cnf?.jkt) return scheme === "bearer";
  try {
    const { payload, protectedHeader } = await jwtVerify(String(request.headers.dpop), EmbeddedJWK, { typ: "dpop+jwt", maxTokenAge: 60 });
    const thumbprint = await calculateJwkThumbprint(/** @type {import("jose").JWK} */ (protectedHeader.jwk));
    const { htm, htu, ath } = payload;
    return scheme === "dpop" && thumbprint === cnf.jkt && htm === request.method && htu === url && ath === hashOf(token);
  } catch {
    return false;
  }
}
