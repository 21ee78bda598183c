import { cookie } from "../../../../src/index.js";
import { startBetterAuth } from "../../better-auth.js";
import { createDevice } from "../../device.js";
import { openGate } from "../../gate.js";
import { type Row, type Setting, theft } from "../row.js";

const PATH = "/api/auth/token";

async function start(lifetime: number): Promise<Setting> {
  let target = "";
  const gate = await openGate(
    () => target,
    (asked) => asked === PATH,
  );
  const server = await startBetterAuth({ origin: gate.url, lifetime });
  target = server.url;
  const device = createDevice(gate.url, Date.now());
  const url = gate.url + PATH;
  const renew = async (cookies: string) => ((await fetch(server.url + PATH, { headers: { cookie: cookies } })).ok ? cookies : null);
  return {
    device,
    gate,
    api: `${gate.url}/me`,
    options: { refresh: cookie({ url, method: "GET", accessTokenField: "token" }) },
    async signIn() {
      await server.signIn(device.jar);
      const token = await fetch(url, { headers: { cookie: await device.jar.getCookieString(url) } });
      return [((await token.json()) as { token: string }).token];
    },
    revoke: async () => server.revoke(),
    restart: server.restart,
    steal: async () => theft(renew, await device.jar.getCookieString(url)),
    async close() {
      await gate.close();
      await server.close();
    },
  };
}

export const better: Row[] = [
  {
    server: "better-auth 1.7",
    way: "session cookie + short JWT",
    lifetime: 60,
    start,
    expects: { robbed: "goes on", thief: "goes on" },
  },
];
