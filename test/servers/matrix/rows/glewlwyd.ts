import { type GlewlwydPlugin, glewlwydMissing, startGlewlwyd } from "../../debian/glewlwyd.js";
import type { Row } from "../row.js";
import { refreshGrant } from "./refresh-grant.js";

const row = (plugin: GlewlwydPlugin, way: string, expects?: Row["expects"]): Row => ({
  server: "glewlwyd 2.7",
  way: `refresh grant, JWT, ${way}`,
  lifetime: 60,
  start: async (lifetime) => refreshGrant(await startGlewlwyd({ lifetime, plugin })),
  debian: true,
  missing: glewlwydMissing,
  ...(expects && { expects }),
});

export const glewlwyd: Row[] = [row("oidc", "rotation"), row("oauth", "no rotation", { robbed: "goes on", thief: "goes on" })];
