import { oauth2 } from "../../../../src/index.js";
import { glewlwydMissing, startGlewlwyd } from "../../debian/glewlwyd.js";
import { createDevice } from "../device.js";
import { openGate } from "../gate.js";
import type { Row, Setting } from "../row.js";

async function start(lifetime: number): Promise<Setting> {
  const server = await startGlewlwyd({ lifetime });
  const gate = await openGate(
    () => server.url,
    (path) => path === server.tokenPath,
  );
  const device = createDevice(gate.url, Date.now());

  return {
    device,
    gate,
    api: gate.url + server.apiPath,
    options: { refresh: oauth2({ tokenEndpoint: gate.url + server.tokenPath, clientId: "spa" }) },
    signIn: async () => [await server.signIn()],
    revoke: async () => server.revoke(),
    restart: server.restart,
    async steal() {
      const stolen = device.stored().refreshToken ?? "";
      const renew = async () => (await server.refresh(stolen)).ok;
      return (await renew()) ? renew : null;
    },
    async close() {
      await gate.close();
      await server.close();
    },
  };
}

export const glewlwyd: Row[] = [
  {
    server: "glewlwyd 2.7",
    way: "refresh grant, JWT, no rotation",
    lifetime: 60,
    start,
    expects: { robbed: "goes on", thief: "goes on" },
    debian: true,
    missing: glewlwydMissing,
  },
];
