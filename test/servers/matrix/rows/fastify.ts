import { cookie } from "../../../../src/index.js";
import { createDevice } from "../../device.js";
import { startFastify } from "../../fastify.js";
import { openGate } from "../../gate.js";
import { type Row, type Setting, theft } from "../row.js";

const PATH = "/auth/refresh";

async function start(lifetime: number): Promise<Setting> {
  const server = await startFastify({ lifetime });
  const gate = await openGate(
    () => server.url,
    (asked) => asked === PATH,
  );
  const device = createDevice(gate.url, Date.now());
  const url = gate.url + PATH;
  async function renew(cookies: string): Promise<string | null> {
    const answer = await fetch(server.url + PATH, { method: "POST", headers: { cookie: cookies } });
    return answer.ok ? (answer.headers.getSetCookie()[0]?.split(";")[0] ?? null) : null;
  }
  return {
    device,
    gate,
    api: `${gate.url}/api/me`,
    options: { refresh: cookie({ url }) },
    async signIn() {
      const login = `${gate.url}/auth/login`;
      const answer = await fetch(login, { method: "POST" });
      for (const line of answer.headers.getSetCookie()) await device.jar.setCookie(line, login);
      return [(await answer.json()) as { accessToken: string }];
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

export const fastify: Row[] = [{ server: "@fastify/jwt 10", way: "rotating refresh cookie + short JWT", lifetime: 60, start }];
