import { simplejwtMissing, startSimplejwt } from "../../debian/simplejwt.js";
import type { Row } from "../row.js";
import { pairOf, shared } from "./token-pair.js";

const LIFETIME = 60;
const { get, finish } = shared(() => startSimplejwt({ lifetime: LIFETIME }));

async function start() {
  const server = await get();
  const client = {
    ...server,
    async signIn() {
      const { access, refresh } = await server.signIn();
      return { accessToken: access, refreshToken: refresh };
    },
    async renew(refreshToken: string) {
      const answer = await server.refresh(server.listingPath, refreshToken);
      return answer.ok ? ((await answer.json()) as { refresh: string }).refresh : null;
    },
  };
  return pairOf(client, server.listingPath, {
    accessTokenField: "access",
    refreshTokenField: "refresh",
    body: ({ refreshToken }) => ({ refresh: refreshToken }),
  });
}

export const simplejwt: Row[] = [
  {
    server: "djangorestframework-simplejwt 5.2",
    way: "two JWTs, rotation, blacklist",
    lifetime: LIFETIME,
    start,
    finish,
    expects: { thief: "goes on" },
    debian: true,
    missing: simplejwtMissing,
  },
];
