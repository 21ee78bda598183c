import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer, jwt } from "better-auth/plugins";
import Sqlite from "better-sqlite3";
import { createLocalJWKSet, jwtVerify } from "jose";
import type { CookieJar } from "tough-cookie";
import { listen, sendJson, serve } from "../../servers/http.js";

export interface BetterAuthOptions {
  /** What pages call it. */
  origin: string;
  /** Seconds that a JWT lives. */
  lifetime: number;
  /** Seconds: `expiresIn` from the last extension to the session's end, `updateAge` between two extensions. */
  session?: { expiresIn: number; updateAge: number };
}

/** Without a number of its own, a token made in the same second is the same token. */
const definePayload = ({ user }: { user: { name: string } }) => ({ name: user.name, jti: randomUUID() });
const secret = "a secret that only the tests have, and long enough";

/** better-auth with its JWTs, and an API at `/me` that takes them, and the session's token as well. */
export async function startBetterAuth({ origin, lifetime, session }: BetterAuthOptions) {
  const file = join(tmpdir(), `tokentide-${randomUUID()}.db`);
  let server = await open(0);

  async function open(port: number) {
    const database = new Sqlite(file);
    const options = {
      database,
      secret,
      baseURL: origin,
      emailAndPassword: { enabled: true },
      rateLimit: { enabled: false },
      telemetry: { enabled: false },
      logger: { disabled: true },
      plugins: [jwt({ jwt: { expirationTime: `${lifetime}s`, definePayload } }), bearer()],
      ...(session && { session }),
    };
    const auth = betterAuth(options);
    await (await getMigrations(options)).runMigrations();
    const listening = await listen({ port });
    const handle = toNodeHandler(auth);
    serve(listening.http, [
      async (request: IncomingMessage, response: ServerResponse) => {
        if (!request.url?.startsWith("/me")) await handle(request, response);
        else sendJson(response, (await subjectOf(request.headers.authorization ?? "")) ? 200 : 401, {});
        return true;
      },
    ]);

    async function subjectOf(authorization: string): Promise<string | undefined> {
      const token = authorization.slice("Bearer ".length);
      const keys = createLocalJWKSet(await auth.api.getJwks());
      const known = await jwtVerify(token, keys).catch(() => null);
      return known?.payload.sub ?? (await auth.api.getSession({ headers: new Headers({ authorization }) }))?.user.id;
    }

    return { ...listening, database };
  }

  async function stop(): Promise<void> {
    await server.close();
    server.database.close();
  }

  return {
    get url() {
      return server.url;
    },
    get database() {
      return server.database;
    },
    /** Leaves its cookie in the jar. */
    async signIn(jar: CookieJar): Promise<void> {
      const user = { name: "Ada", email: "ada@example.test", password: "a long enough password" };
      const headers = { "content-type": "application/json", origin };
      const answer = await fetch(`${server.url}/api/auth/sign-up/email`, { method: "POST", headers, body: JSON.stringify(user) });
      for (const line of answer.headers.getSetCookie()) await jar.setCookie(line, origin);
    },
    revoke: () => void server.database.exec("DELETE FROM session"),
    async restart() {
      const { port } = server;
      await stop();
      server = await open(port);
    },
    async close() {
      await stop();
      for (const end of ["", "-wal", "-shm"]) await rm(file + end, { force: true });
    },
  };
}
