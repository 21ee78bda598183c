import { execute, subscribe, validate } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Session } from "../../src/index.js";
import { HOUR, SECOND } from "../support/scene.js";
import { type Api, startApi } from "./api.js";
import { runSample } from "./sample.js";
import { schema } from "./server.js";

/** A server, and a session whose timers and clock the test moves; the network is real. */
async function open(answer?: Parameters<typeof startApi>[0]): Promise<{ api: Api; session: Session }> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const api = await startApi(answer);
  const session = await api.session();
  return { api, session };
}

/** The clients' sockets that are on their way. The network is real: however long it takes, no virtual time may pass meanwhile. */
const connecting = new Set<WebSocket>();

class CountedWebSocket extends WebSocket {
  constructor(...address: ConstructorParameters<typeof WebSocket>) {
    super(...address);
    connecting.add(this);
    for (const outcome of ["open", "close"]) this.once(outcome, () => connecting.delete(this));
  }
}

/** The sockets of one server, for as long as the test lasts. */
function sockets(api: Api): WebSocketServer {
  vi.stubGlobal("WebSocket", CountedWebSocket);
  const server = new WebSocketServer({ server: api.http });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return server;
}

/** `user token-number`, or why the token is not accepted. */
function introduce(api: Api, token: string | null): string {
  const verdict = api.auth.grants.check(token ?? "");
  return typeof verdict === "string" ? verdict : `${verdict.subject} ${verdict.serial}`;
}

/** Lets timers run until it is so. */
async function eventually(condition: () => unknown, expected: unknown): Promise<void> {
  await expect
    .poll(
      () => {
        if (connecting.size === 0) vi.advanceTimersByTime(100);
        return condition();
      },
      { interval: 5, timeout: 10_000 },
    )
    .toEqual(expected);
}

/** Real requests, and virtual seconds, in which nothing may happen. */
async function nothingMoreFor(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 100) {
    vi.advanceTimersByTime(100);
    do await new Promise((resolve) => setImmediate(resolve));
    while (connecting.size > 0);
  }
}

describe("a WebSocket, as docs/libraries.md has it", () => {
  async function connect() {
    const { api, session } = await open();
    const heard: string[] = [];
    const server = sockets(api);
    server.on("connection", (socket, { url }) => {
      heard.push(`open ${url}`);
      socket.on("message", (data) => {
        const said = introduce(api, (JSON.parse(String(data)) as { token: string }).token);
        heard.push(said);
        socket.send(`hello ${said}`);
      });
      socket.on("close", () => heard.push("closed"));
    });
    const { socket } = await runSample<{ socket: EventTarget }>("WebSocket", api, session);
    onTestFinished(() => session.signOut());
    const received: unknown[] = [];
    socket.addEventListener("message", (event) => received.push((event as MessageEvent).data));
    await eventually(() => heard, ["open /live", "ada 1"]);
    heard.length = 0;
    return { api, session, server, heard, received };
  }

  it("authorises itself with the first message, and again when the token is renewed", async () => {
    const { session, heard, received } = await connect();
    await session.refresh();
    await eventually(() => heard, ["ada 2"]);
    await eventually(() => received, ["hello ada 1", "hello ada 2"]);
  });

  it("comes back with a fresh token when the server has closed it and the old one has expired", async () => {
    const { api, server, heard } = await connect();
    vi.setSystemTime(Date.now() + 2 * HOUR);
    for (const client of server.clients) client.close();
    await eventually(() => heard.slice(0, 3), ["closed", "open /live", "ada 2"]);
    expect(api.auth.stats).toMatchObject({ refreshes: 1, rejected: 0 });
    // Renewed because of it, it is told of that as well.
    expect(new Set(heard.slice(2))).toEqual(new Set(["ada 2"]));
  });

  it("closes at a sign-out and stays away, and is there once for who signs in then", async () => {
    const { api, session, heard } = await connect();
    await session.signOut();
    await eventually(() => heard, ["closed"]);
    await session.signIn(api.auth.signIn("bob"));
    await nothingMoreFor(3 * SECOND);
    await eventually(() => heard, ["closed", "open /live", "bob 2"]);
    await session.signOut();
    await nothingMoreFor(10 * SECOND);
    await eventually(() => heard, ["closed", "open /live", "bob 2", "closed"]);
  });

  it("is another socket for another user", async () => {
    const { api, session, heard } = await connect();
    await session.signIn(api.auth.signIn("bob"));
    // The new one need not wait until the server has closed the old one.
    await eventually(() => [...heard].sort(), ["bob 2", "closed", "open /live"]);
    await nothingMoreFor(10 * SECOND);
    expect(heard).toHaveLength(3);
  });
});

describe("server-sent events, as docs/libraries.md has them", () => {
  /** The streams that are open, and a way to end them from the server's side. */
  async function listening() {
    const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
    const { api, session } = await open((request) => {
      const bearer = request.headers.get("authorization")?.slice("Bearer ".length) ?? null;
      let own: ReadableStreamDefaultController<Uint8Array>;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          own = controller;
          streams.add(own);
          own.enqueue(new TextEncoder().encode(`id: 7\ndata: ${introduce(api, bearer)}\n\n`));
        },
        cancel: () => void streams.delete(own),
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const sample = await runSample<{ listen(heard: (event: { data: string }) => void): Promise<void> }>("Server-sent events", api, session);
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("document", { hidden: false, addEventListener() {}, removeEventListener() {} });
    const heard: string[] = [];
    const over = sample.listen(({ data }) => heard.push(data));
    onTestFinished(async () => {
      await session.signOut();
      await over;
    });
    await eventually(() => heard, ["ada 1"]);
    const end = () => {
      for (const stream of streams) stream.close();
      streams.clear();
    };
    return { api, session, streams, heard, over, end };
  }

  it("comes back with a fresh token when the server has ended the stream, by one refresh, from where it was", async () => {
    const { api, heard, end } = await listening();
    api.expire();
    end();
    await eventually(() => heard, ["ada 1", "ada 2"]);
    expect(api.auth.stats).toMatchObject({ refreshes: 1, apiUnauthorized: 1 });
    expect(api.auth.apiCalls.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "7", "7"]);
  });

  it.each(["signed out", "somebody else"])("ends when the user is %s", async (change) => {
    const { api, session, streams, heard, over } = await listening();
    await (change === "signed out" ? session.signOut() : session.signIn(api.auth.signIn("bob")));
    await over;
    await eventually(() => streams.size, 0);
    await nothingMoreFor(5 * SECOND);
    expect([heard, api.auth.apiCalls.length]).toEqual([["ada 1"], 1]);
  });
});

describe("graphql-ws, as docs/libraries.md has it", () => {
  type Live = import("graphql-ws").Client;

  /** Says who is listening, and then nothing. */
  async function* added(_: unknown, { who }: { who: string }) {
    yield { added: who };
    await new Promise(() => {});
  }

  async function connect() {
    const { api, session } = await open();
    const server = sockets(api);
    const connections: string[] = [];
    const token = (params: unknown) => (params as { token: string | null } | undefined)?.token ?? null;
    useServer(
      {
        ...{ schema, validate, execute, subscribe },
        onConnect({ connectionParams }) {
          const said = introduce(api, token(connectionParams));
          connections.push(said);
          return said.includes(" ");
        },
        context: ({ connectionParams }) => ({ who: introduce(api, token(connectionParams)) }),
        roots: { subscription: { added } },
      },
      server,
    );
    const { live } = await runSample<{ live: Live }>("graphql-ws", api, session);
    onTestFinished(() => void live.dispose());
    const listen = () => {
      const heard: unknown[] = [];
      live.subscribe<{ added: string }>(
        { query: "subscription { added }" },
        { next: ({ data }) => heard.push(data?.added), error: () => heard.push("error"), complete: () => heard.push("complete") },
      );
      return heard;
    };
    return { api, session, server, connections, listen };
  }

  it("a subscription goes on with a fresh token when the server has closed the connection", async () => {
    const { api, server, connections, listen } = await connect();
    const heard = listen();
    await eventually(() => heard, ["ada 1"]);
    vi.setSystemTime(Date.now() + 2 * HOUR);
    for (const client of server.clients) client.close(4403, "Forbidden");
    await eventually(() => heard, ["ada 1", "ada 2"]);
    expect([connections, api.auth.stats.refreshes]).toEqual([["ada 1", "ada 2"], 1]);
  });

  it("a token that cannot be had now is waited for", async () => {
    const { api, session, listen } = await connect();
    api.auth.faults.push({ processed: false, instead: { status: 503 } });
    vi.setSystemTime(Date.now() + 2 * HOUR);
    const heard = listen();
    await eventually(() => heard, ["ada 2"]);
    expect(session.getSnapshot().status).toBe("signed-in");
  });

  it("a sign-out ends the connection and its subscriptions, and a later subscription is the next user's", async () => {
    const { api, session, server, listen } = await connect();
    const heard = listen();
    await eventually(() => heard, ["ada 1"]);
    await session.signOut();
    await eventually(() => [heard, server.clients.size], [["ada 1", "error"], 0]);
    await session.signIn(api.auth.signIn("bob"));
    const next = listen();
    await eventually(() => next, ["bob 2"]);
    expect(heard).toEqual(["ada 1", "error"]);
  });

  it("a subscription that outlives a change of user goes on as the new one", async () => {
    const { api, session, connections, listen } = await connect();
    const heard = listen();
    await eventually(() => heard, ["ada 1"]);
    await session.signIn(api.auth.signIn("bob"));
    await eventually(() => heard, ["ada 1", "bob 2"]);
    expect(connections).toEqual(["ada 1", "bob 2"]);
  });
});
