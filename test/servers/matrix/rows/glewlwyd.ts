import { type GlewlwydPlugin, glewlwydMissing, startGlewlwyd } from "../../debian/glewlwyd.js";
import type { Row } from "../row.js";
import { dpopGrant } from "./dpop-grant.js";
import { refreshGrant } from "./refresh-grant.js";

const common = { server: "glewlwyd 2.7", lifetime: 60, debian: true, missing: glewlwydMissing };

const row = (plugin: GlewlwydPlugin, way: string, expects: Row["expects"] = {}): Row => ({
  ...common,
  way: `refresh grant, JWT, ${way}`,
  start: async (lifetime) => refreshGrant(await startGlewlwyd({ lifetime, plugin })),
  expects,
});

const HOUR = 3600;

/** The device's time is moved by hand, and the server compares a proof with its own. So it takes each time here. */
const dpopRow: Row = {
  ...common,
  way: "refresh grant, DPoP, JWT, rotation",
  start: (lifetime) => dpopGrant((origin) => startGlewlwyd({ lifetime, plugin: "oidc", dpop: "nonces", proofTimes: [HOUR, HOUR], origin })),
  expects: { theft: "is refused" },
  without: {
    "clock 1 h off":
      "glewlwyd compares the time of a proof with its own clock. `test/servers/debian/glewlwyd-dpop.test.ts` has such a clock, for two renewals.",
  },
};

export const glewlwyd: Row[] = [row("oidc", "rotation"), row("oauth", "no rotation", { robbed: "goes on", thief: "goes on" }), dpopRow];
