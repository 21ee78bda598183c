import { startServer } from "../../../../servers/oauth/index.js";
import { Storage } from "../../../../servers/oauth/storage.js";
import type { Row } from "../row.js";
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

export const oidcProvider: Row[] = [row("jwt", true), row("opaque", true), row("jwt", false), row("opaque", false)];
