import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import Sqlite from "better-sqlite3";
import { createLocalJWKSet, jwtVerify } from "jose";
import { listen, sendJson, serve } from "../../../../demo/server/http.js";
import { cookie } from "../../../../src/index.js";
import { createDevice } from "../device.js";
import { openGate } from "../gate.js";
import type { Row, Setting } from "../row.js";

/** Without a number of its own, a token made in the same second is the same token. */
const definePayload = ({ user }: { user: { name: string } }) => ({ name: user.name, jti: randomUUID() });
const secret = "a secret that only the tests have, and long enough";

async function open(file: string, origin: string, lifetime: number, port: number) {
  const database = new Sqlite(file);
  const options = {
    database,
    secret,
    baseURL: origin,
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [jwt({ jwt: { expirationTime: `${lifetime}s`, definePayload } })],
  };
  const auth = betterAuth(options);
  await (await getMigrations(options)).runMigrations();
  const { http, url, ...listening } = await listen({ port });
  const handle = toNodeHandler(auth);
  serve(http, [
    async (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => {
      if (!request.url?.startsWith("/me")) {
        await handle(request, response);
        return true;
      }
      // An API that trusts the server's keys.
      const keys = createLocalJWKSet(await auth.api.getJwks());
      const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
      const known = await jwtVerify(token, keys).catch(() => null);
      sendJson(response, known ? 200 : 401, { sub: known?.payload.sub });
      return true;
    },
  ]);
  return {
    url,
    port: listening.port,
    database,
    async close() {
      await listening.close();
      database.close();
    },
  };
}

async function start(lifetime: number): Promise<Setting> {
  const file = join(tmpdir(), `tokentide-${randomUUID()}.db`);
  let target = "";
  const path = "/api/auth/token";
  const gate = await openGate(
    () => target,
    (asked) => asked === path,
  );
  let server = await open(file, gate.url, lifetime, 0);
  target = server.url;
  const device = createDevice(gate.url, Date.now());
  const url = gate.url + path;
  return {
    device,
    gate,
    api: `${gate.url}/me`,
    options: { refresh: cookie({ url, method: "GET", accessTokenField: "token" }) },
    async signIn() {
      const user = { name: "Ada", email: "ada@example.test", password: "a long enough password" };
      const headers = { "content-type": "application/json", origin: gate.url };
      const answer = await fetch(`${gate.url}/api/auth/sign-up/email`, { method: "POST", headers, body: JSON.stringify(user) });
      for (const line of answer.headers.getSetCookie()) await device.jar.setCookie(line, gate.url);
      const token = await fetch(url, { headers: { cookie: await device.jar.getCookieString(url) } });
      return [((await token.json()) as { token: string }).token];
    },
    revoke: async () => server.database.exec("DELETE FROM session"),
    async restart() {
      const { port } = server;
      await server.close();
      server = await open(file, gate.url, lifetime, port);
    },
    async steal() {
      const stolen = await device.jar.getCookieString(url);
      const renew = async () => (await fetch(server.url + path, { headers: { cookie: stolen } })).ok;
      return (await renew()) ? renew : null;
    },
    async close() {
      await gate.close();
      await server.close();
      for (const end of ["", "-wal", "-shm"]) await rm(file + end, { force: true });
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
