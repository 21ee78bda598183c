import { startNodeOauth } from "../../node-oauth.js";
import type { Row } from "../row.js";
import { refreshGrant } from "./refresh-grant.js";

export const nodeOauth: Row[] = [
  {
    server: "@node-oauth/oauth2-server 5",
    way: "refresh grant, opaque, rotation",
    lifetime: 60,
    start: async (lifetime) => refreshGrant(await startNodeOauth({ lifetime })),
    expects: { thief: "goes on" },
  },
];
