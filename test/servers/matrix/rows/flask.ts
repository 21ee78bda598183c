import { flaskMissing, startFlask } from "../../debian/flask.js";
import type { Row } from "../row.js";
import { pairOf, shared } from "./token-pair.js";

const LIFETIME = 60;
const { get, finish } = shared(() => startFlask({ lifetime: LIFETIME }));

async function start(path: string) {
  const server = await get();
  const client = {
    ...server,
    async signIn() {
      const { access_token: accessToken, refresh_token: refreshToken } = await server.signIn();
      return { accessToken, refreshToken };
    },
    async renew(refreshToken: string) {
      const answer = await server.refresh(path, refreshToken);
      return answer.ok ? (((await answer.json()) as { refresh_token?: string }).refresh_token ?? refreshToken) : null;
    },
  };
  return pairOf(client, path, { headers: ({ refreshToken }) => ({ authorization: `Bearer ${refreshToken}` }) });
}

const row = (path: string, way: string, expects: Row["expects"]): Row => ({
  server: "flask-jwt-extended 4.4",
  way: `two JWTs, the long one as bearer, ${way}`,
  lifetime: LIFETIME,
  start: () => start(path),
  finish,
  debian: true,
  missing: flaskMissing,
  ...(expects && { expects }),
});

export const flask: Row[] = [
  row("/rotate", "rotation", { thief: "goes on" }),
  row("/refresh", "no rotation", { robbed: "goes on", thief: "goes on" }),
];
