import { oauth2 } from "../../../../src/index.js";
import { djangoMissing, startDjango } from "../../debian/django.js";
import { createDevice } from "../device.js";
import { openGate } from "../gate.js";
import type { Row, Setting } from "../row.js";

async function start(lifetime: number, grace: number): Promise<Setting> {
  const server = await startDjango({ lifetime, grace });
  const gate = await openGate(
    () => server.url,
    (path) => path === server.tokenPath,
  );
  const device = createDevice(gate.url, Date.now());
  const renew = async (token: string) => {
    const response = await server.refresh(token);
    return response.ok ? ((await response.json()) as { refresh_token: string }).refresh_token : null;
  };
  return {
    device,
    gate,
    api: `${gate.url}/api/me`,
    options: {
      refresh: oauth2({ tokenEndpoint: gate.url + server.tokenPath, clientId: "spa" }),
      classify: ({ response }) => (response?.status === 403 ? "refresh" : "ok"),
      reuseGrace: grace * 1000,
    },
    signIn: async () => [await server.signIn()],
    revoke: server.revoke,
    restart: server.restart,
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

const row = (way: string, grace: number, expects: Row["expects"]): Row => ({
  server: "django-oauth-toolkit 1.7",
  way,
  lifetime: 60,
  start: (lifetime) => start(lifetime, grace),
  debian: true,
  missing: djangoMissing,
  ...(expects && { expects }),
});

export const django: Row[] = [
  row("refresh grant, opaque, rotation", 0, { thief: "goes on" }),
  row("refresh grant, opaque, grace period", 120, { robbed: "goes on", thief: "goes on" }),
];
