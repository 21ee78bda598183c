import { randomUUID } from "node:crypto";
import fastifyCookie from "@fastify/cookie";
import fastifyJwt from "@fastify/jwt";
import { type FastifyReply, fastify } from "fastify";

declare module "@fastify/jwt" {
  interface FastifyJWT {
    payload: Claims;
    user: Claims;
  }
}

interface Claims {
  sub: string;
  /** The session. */
  sid: string;
  /** Without it, two tokens of one second are the same token. */
  jti: string;
  /** One key signs both kinds. */
  use: "access" | "refresh";
}

/** @fastify/jwt: a short JWT in the answer, and a long one in a cookie that each renewal replaces. An API is at `/api/me`. */
export async function startFastify({ lifetime }: { lifetime: number }) {
  /** The `jti` of the refresh token that is good, by session. */
  const sessions = new Map<string, string>();
  let server = await open(0);

  async function open(port: number) {
    const app = fastify({ forceCloseConnections: true });
    app.register(fastifyJwt, {
      secret: "a secret that only the tests have",
      cookie: { cookieName: "refresh", signed: false },
      sign: { expiresIn: lifetime },
      trusted: (_request, token) => sessions.has((token as unknown as Claims).sid),
    });
    app.register(fastifyCookie);

    async function answer(reply: FastifyReply, sid: string) {
      const jti = randomUUID();
      sessions.set(sid, jti);
      const refresh = await reply.jwtSign({ sub: "ada", sid, jti, use: "refresh" }, { expiresIn: "14d" });
      reply.setCookie("refresh", refresh, { path: "/auth", httpOnly: true, sameSite: "strict" });
      return { accessToken: await reply.jwtSign({ sub: "ada", sid, jti: randomUUID(), use: "access" }) };
    }

    app.post("/auth/login", (_request, reply) => answer(reply, randomUUID()));
    app.post("/auth/refresh", { onRequest: (request) => request.jwtVerify({ onlyCookie: true }) }, async ({ user }, reply) => {
      if (sessions.get(user.sid) === user.jti) return answer(reply, user.sid);
      sessions.delete(user.sid);
      return reply.code(401).send({ code: "reuse" });
    });
    app.get("/api/me", { onRequest: (request) => request.jwtVerify() }, async ({ user }, reply) =>
      user.use === "access" ? { sub: user.sub } : reply.code(401).send({ code: "wrong_token" }),
    );
    const url = await app.listen({ port, host: "127.0.0.1" });
    return { app, url };
  }

  return {
    get url() {
      return server.url;
    },
    revoke: () => sessions.clear(),
    async restart() {
      const { port } = new URL(server.url);
      await server.app.close();
      server = await open(Number(port));
    },
    close: () => server.app.close(),
  };
}
