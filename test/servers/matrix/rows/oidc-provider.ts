import { startServer } from "../../../../servers/oauth/index.js";
import { Storage } from "../../../../servers/oauth/storage.js";
import { authorize } from "../../authorize.js";
import type { Row } from "../row.js";
import { type DpopServer, dpopGrant } from "./dpop-grant.js";
import { type AuthorizationServer, refreshGrant } from "./refresh-grant.js";

async function start(lifetime: number, accessTokenFormat: "jwt" | "opaque", rotate: boolean): Promise<AuthorizationServer> {
  const storage = new Storage();
  const options = { accessTokenFormat, accessTokenSeconds: lifetime, storage, rotate };
  let server = await startServer(options);
  const { url, clientId, port } = server;
  return {
    url,
    clientId,
    tokenPath: "/oauth/token",
    apiPath: "/api/me",
    signIn: () => server.issueTokens(),
    revoke: () => server.revokeAll(),
    async restart() {
      await server.close();
      server = await startServer({ ...options, port });
    },
    close: () => server.close(),
  };
}

const row = (format: "jwt" | "opaque", rotate: boolean): Row => ({
  server: "oidc-provider 9",
  way: `refresh grant, ${format === "jwt" ? "JWT" : format}, ${rotate ? "rotation" : "no rotation"}`,
  lifetime: 60,
  start: async (lifetime) => refreshGrant(await start(lifetime, format, rotate)),
  ...(!rotate && { expects: { robbed: "goes on", thief: "goes on" } }),
});

/** With required nonces. */
async function startDpop(origin: string, lifetime: number, rotate: boolean): Promise<DpopServer> {
  const options = { accessTokenSeconds: lifetime, storage: new Storage(), rotate, dpop: true, origin };
  let server = await startServer(options);
  const { port, clientId } = server;
  const redirectUri = `${origin}/callback`;
  return {
    url: `http://127.0.0.1:${port}`,
    clientId,
    tokenPath: "/oauth/token",
    apiPath: "/api/me",
    async authorize(further) {
      const { verifier, callback } = await authorize(server, "ada", further);
      const code = callback.searchParams.get("code") ?? "";
      return { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier };
    },
    revoke: () => server.revokeAll(),
    async restart() {
      await server.close();
      server = await startServer({ ...options, port });
    },
    close: () => server.close(),
  };
}

const dpopRow = (rotate: boolean): Row => ({
  server: "oidc-provider 9",
  way: `refresh grant, DPoP, JWT, ${rotate ? "rotation" : "no rotation"}`,
  lifetime: 60,
  start: (lifetime) => dpopGrant((origin) => startDpop(origin, lifetime, rotate)),
  expects: { theft: "is refused" },
});

export const oidcProvider: Row[] = [
  ...[row("jwt", true), row("opaque", true), row("jwt", false), row("opaque", false)],
  ...[dpopRow(true), dpopRow(false)],
];
