import { HttpResponse, http } from "msw";
import { responseOf } from "../../src/testing/msw.js";
import { at } from "../page/place.js";
import { bearerOf, idOf, sign, takeFault } from "./answers.js";
import { check, exchange, ownerOf, revoke, signIn } from "./grants.js";
import { nonceOf, proofOf } from "./proofs.js";
import { type Issued, serve, serverKey } from "./state.js";

const way = "oauth2";

/** A token response (RFC 6749 §5.1). */
async function tokens(issued: Issued, key: CryptoKey) {
  const { iat, exp, cnf } = issued.claims;
  return HttpResponse.json(
    {
      access_token: await sign(issued, key),
      token_type: cnf ? "DPoP" : "Bearer",
      expires_in: exp - iat,
      refresh_token: issued.refreshToken,
    },
    { headers: { "cache-control": "no-store" } },
  );
}

const token = http.post(at("oauth/token"), async ({ request }) => {
  const form = new URLSearchParams(await request.text());
  const proof = await proofOf(request);
  const { fault, nonce, issued, key } = await serve((state) => {
    state.stats.attempts += 1;
    const fault = takeFault(state);
    if (fault?.processed === false) return { fault };
    if (request.headers.has("dpop") && proof?.nonce !== nonceOf(state)) return { fault, nonce: nonceOf(state) };
    return { fault, issued: exchange(state, way, form.get("refresh_token") ?? "", { proof }) };
  });
  if (fault?.instead) return responseOf(fault.instead);
  if (nonce !== undefined) return HttpResponse.json({ error: "use_dpop_nonce" }, { status: 400, headers: { "dpop-nonce": nonce } });
  return issued ? tokens(issued, key) : HttpResponse.json({ error: "invalid_grant" }, { status: 400 });
});

const revocation = http.post(at("oauth/revoke"), async ({ request }) => {
  const presented = new URLSearchParams(await request.text()).get("token") ?? "";
  await serve((state) => {
    const grant = ownerOf(state, way, presented);
    if (grant) revoke(state, grant);
    return {};
  });
  return new HttpResponse(null, { status: 200 });
});

const me = http.get(at("api/me"), async ({ request }) => {
  const bound = bearerOf(request, "DPoP");
  const jti = await idOf(bound ?? bearerOf(request), await serverKey());
  const proof = bound === undefined ? undefined : await proofOf(request, bound);
  const { known } = await serve((state) => ({ known: check(state, way, jti, proof) }));
  if (typeof known === "object") return HttpResponse.json(known);
  const challenge = known === "unproven" && bound !== undefined ? 'DPoP error="invalid_dpop_proof"' : 'Bearer error="invalid_token"';
  return HttpResponse.json({ error: "invalid_token" }, { status: 401, headers: { "www-authenticate": challenge } });
});

/** Signs a user in, as a login page would. */
const login = http.post(at("control/sign-in"), async ({ request }) => {
  const { subject, jkt } = (await request.json()) as { subject: string; jkt?: string };
  const { issued, key } = await serve((state) => ({ issued: signIn(state, way, subject, jkt) }));
  return tokens(issued, key);
});

export const oauthHandlers = [token, revocation, me, login];
