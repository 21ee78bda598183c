import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { expect, onTestFinished } from "vitest";
import { createSession, oauth2, type Session, type SessionOptions } from "../../src/index.js";
import { TokenServer } from "../../src/testing/token-server.js";

/** A real HTTP server: a token endpoint that is strict, and an API that lets nobody in without a valid bearer. */
export interface Api {
  readonly origin: string;
  readonly http: Server;
  readonly auth: TokenServer;
  /** The bodies of the requests that got in, by path. */
  readonly received: { path: string; body: string }[];
  /** A session of this server's, signed in. */
  session(options?: Partial<Omit<SessionOptions, "refresh">> & { signedIn?: boolean }): Promise<Session>;
  /** The API stops accepting what was given out so far, and this client has not heard of it. */
  expire(): void;
}

/** `answer` is the API behind the guard. Without one, it echoes what it got. */
export async function startApi(
  answer: (request: Request) => Response | undefined | Promise<Response | undefined> = () => undefined,
): Promise<Api> {
  const received: Api["received"] = [];
  const http = createServer((request, response) => void respond(request, response));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const endpoints = { tokenEndpoint: `${origin}/token`, revocationEndpoint: `${origin}/revoke` };
  const auth = new TokenServer(endpoints);

  async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await toRequest(incoming, origin);
    const reply = await reaction(request);
    outgoing.writeHead(reply.status, Object.fromEntries(reply.headers));
    // A client that goes away ends the stream as well.
    if (reply.body) pipeline(Readable.fromWeb(reply.body as import("node:stream/web").ReadableStream), outgoing, () => {});
    else outgoing.end();
  }

  async function reaction(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const spare = request.clone();
    const reply = await auth.handle(request);
    if (typeof reply === "string") throw new Error(`no fault was asked for: ${reply}`);
    if (reply.status === 200 && !Object.values(endpoints).includes(request.url)) {
      const body = await spare.clone().text();
      received.push({ path, body });
      const own = await answer(spare);
      return own ?? Response.json({ path, body });
    }
    return new Response(reply.body, { status: reply.status, headers: reply.headers ?? {} });
  }

  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });

  return {
    origin,
    http,
    auth,
    received,
    async session({ signedIn = true, ...options } = {}) {
      const session = createSession({
        refresh: oauth2({ tokenEndpoint: endpoints.tokenEndpoint, clientId: "spa" }),
        allowedOrigins: [origin],
        ...options,
      });
      onTestFinished(() => session.dispose());
      if (signedIn) await session.signIn(auth.signIn());
      return session;
    },
    expire: () => auth.grants.expireAccessTokens(),
  };
}

async function toRequest(incoming: IncomingMessage, origin: string): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = "GET", url = "/" } = incoming;
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string]);
  return new Request(origin + url, { method, headers, ...(chunks.length > 0 && { body: Buffer.concat(chunks) }) });
}

/**
 * What every way of calling an API owes: `post` sends a note to `/notes`, and resolves with the status. `notes` are those that got in, where
 * they do not stand as `text` in bodies of their own.
 */
export async function expectSurvival(
  api: Api,
  session: Session,
  post: (path: string, body: { text: string }) => Promise<number>,
  notes = () => api.received.map(({ body }) => (JSON.parse(body) as { text: string }).text),
): Promise<void> {
  const earlier = notes().length;
  expect(await post("/notes", { text: "before" })).toBe(200);
  api.expire();
  const sent = ["one", "two", "three"];
  expect(await Promise.all(sent.map((text) => post("/notes", { text })))).toEqual([200, 200, 200]);
  expect(api.auth.stats.refreshes).toBe(1);
  expect(notes().slice(earlier).sort()).toEqual(["before", ...sent].sort());
  await session.signOut();
  expect(await post("/notes", { text: "signed out" })).toBe(401);
  expect([api.auth.stats.refreshes, api.auth.apiCalls.at(-1)?.bearer]).toEqual([1, "none"]);
}
