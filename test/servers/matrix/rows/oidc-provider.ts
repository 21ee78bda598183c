import { startServer } from "../../../../demo/server/index.js";
import { Storage } from "../../../../demo/server/storage.js";
import { oauth2 } from "../../../../src/index.js";
import { createDevice } from "../device.js";
import { openGate } from "../gate.js";
import type { Row, Setting } from "../row.js";

const PATH = "/oauth/token";

async function start(lifetime: number, accessTokenFormat: "jwt" | "opaque", rotate: boolean): Promise<Setting> {
  const storage = new Storage();
  const open = (port?: number) =>
    startServer({ accessTokenFormat, accessTokenSeconds: lifetime, storage, rotate, ...(port === undefined ? {} : { port }) });
  let server = await open();
  const gate = await openGate(
    () => server.url,
    (path) => path === PATH,
  );
  const device = createDevice(gate.url, Date.now());
  const renew = async (token: string) => {
    const body = new URLSearchParams({ grant_type: "refresh_token", client_id: server.clientId, refresh_token: token });
    const response = await fetch(server.tokenEndpoint, { method: "POST", body });
    return response.ok ? (((await response.json()) as { refresh_token?: string }).refresh_token ?? token) : null;
  };
  return {
    device,
    gate,
    api: `${gate.url}/api/me`,
    options: { refresh: oauth2({ tokenEndpoint: gate.url + PATH, clientId: server.clientId }) },
    signIn: async () => [await server.issueTokens()],
    revoke: async () => server.revokeAll(),
    async restart() {
      const { port } = server;
      await server.close();
      server = await open(port);
    },
    async steal() {
      const got = await renew(device.stored().refreshToken ?? "");
      return got === null ? null : async () => (await renew(got)) !== null;
    },
    async close() {
      await gate.close();
      await server.close();
    },
  };
}

export const oidcProvider: Row[] = [
  { server: "oidc-provider 9", way: "refresh grant, JWT, rotation", lifetime: 60, start: (lifetime) => start(lifetime, "jwt", true) },
  { server: "oidc-provider 9", way: "refresh grant, opaque, rotation", lifetime: 60, start: (lifetime) => start(lifetime, "opaque", true) },
  {
    server: "oidc-provider 9",
    way: "refresh grant, JWT, no rotation",
    lifetime: 60,
    start: (lifetime) => start(lifetime, "jwt", false),
    expects: { robbed: "goes on", thief: "goes on" },
  },
];
