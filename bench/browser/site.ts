import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "./pages.js";
import { PATH, type Tokens } from "./restored/entry.js";

/** Takes one access token, as a bearer or with a proof. */
export const BOUND_PATH = "/api/bound";
const LIFE = 3600;
const TWENTY_DAYS = 1_728_000;

/** The pages of the measurements, an API, and a token endpoint that gives each refresh token once. */
export async function startSite(pages: Record<string, Page>) {
  let serial = 1;
  const refused = { tokens: 0, calls: 0 };
  const counts = { refreshes: 0, restored: 0 };
  const tokens = () => ({ access_token: `access-${serial}`, refresh_token: `refresh-${serial}`, expires_in: LIFE, token_type: "Bearer" });
  const restorable = tokensOfALogin();
  const bound = { proof: "" };

  const http = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://localhost");
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(JSON.stringify(value));
    };
    if (pathname === "/token") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const sent = new URLSearchParams(Buffer.concat(chunks).toString()).get("refresh_token");
      if (sent !== `refresh-${serial}`) {
        refused.tokens++;
        return json({ error: "invalid_grant" }, 400);
      }
      counts.refreshes++;
      serial++;
      return json(tokens());
    }
    if (pathname === "/api/me" || pathname === PATH) {
      const ok = request.headers.authorization === `Bearer ${pathname === PATH ? restorable.access_token : `access-${serial}`}`;
      if (!ok) refused.calls++;
      else if (pathname === PATH) counts.restored++;
      return json({}, ok ? 200 : 401);
    }
    if (pathname === BOUND_PATH) {
      const { authorization, dpop } = request.headers;
      bound.proof = `${dpop ?? bound.proof}`;
      return json({}, authorization === `${dpop ? "DPoP" : "Bearer"} ${restorable.access_token}` ? 200 : 401);
    }
    const page = pages[pathname];
    if (!page) return json({}, 404);
    // Isolated pages have a fine clock. What is not stored is compiled anew each time.
    response.writeHead(200, {
      "content-type": page.type,
      "cache-control": "no-store",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(page.content.replaceAll("ACCESS_TOKEN", () => `access-${serial}`));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    url: `http://localhost:${(http.address() as AddressInfo).port}`,
    counts,
    refused,
    tokens,
    /** What a login has brought to each that restores a session: tokens that are fresh until long after the measurements. */
    restorable,
    /** The proof of the last call that had one. */
    bound,
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

export type Site = Awaited<ReturnType<typeof startSite>>;

function tokensOfALogin(): Tokens {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const jwt = (claims: object) => `${encode({ alg: "RS256", typ: "JWT", kid: "one" })}.${encode(claims)}.${"c2ln".repeat(85)}`;
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: "https://auth.example.test", aud: "spa", sub: "ada", iat, exp: iat + TWENTY_DAYS };
  return {
    access_token: jwt({ ...claims, jti: "one", scope: "openid offline_access" }),
    id_token: jwt({ ...claims, name: "Ada", email: "ada@example.test" }),
    refresh_token: "r".repeat(64),
    expires_in: TWENTY_DAYS,
    token_type: "Bearer",
    scope: "openid offline_access",
  };
}
