import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServer } from "../../servers/oauth/index.js";
import { control, me, refresh, refreshed, type Server, type Tokens } from "./client.js";

let server: Server;
let token: string;
beforeEach(async () => {
  server = await startServer();
  token = (await server.issueTokens()).refresh_token;
});
afterEach(() => server.close());

describe("a token endpoint that fails before it handles the request", () => {
  it.each([
    ["down", 503, "text/html"],
    ["html-403", 403, "text/html"],
    ["throttled", 429, "application/json"],
  ] as const)("%s answers %i and uses nothing up", async (kind, status, type) => {
    server.faults.token = { kind, times: 2, retryAfterSeconds: 7 };
    for (const _ of [1, 2]) {
      const response = await refresh(server, token);
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toContain(type);
      expect(response.headers.get("retry-after")).toBe(kind === "throttled" ? "7" : null);
    }
    expect(server.faults.token, "two times are over").toBeNull();
    await refreshed(server, token);
    expect(server.stats).toMatchObject({ attempts: 3, refreshes: 1, reused: 0 });
  });

  it("unreachable breaks the connection", async () => {
    server.faults.token = { kind: "unreachable", times: 1 };
    await expect(refresh(server, token)).rejects.toThrow("fetch failed");
    await refreshed(server, token);
  });

  it("slow answers later", async () => {
    server.faults.token = { kind: "slow", milliseconds: 150, times: 1 };
    const start = performance.now();
    await refreshed(server, token);
    expect(performance.now() - start).toBeGreaterThan(140);
  });

  it("slow and hang count the attempt when it comes in, and handle nothing for a client that has gone", async () => {
    for (const kind of ["slow", "hang"] as const) {
      server.faults.token = { kind, milliseconds: 100, times: 1 };
      const before = server.stats.attempts;
      const client = new AbortController();
      const answer = refresh(server, token, client.signal);
      await expect.poll(() => server.stats.attempts).toBe(before + 1);
      client.abort();
      await expect(answer).rejects.toThrow("abort");
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(server.stats.refreshes).toBe(0);
    expect(server.stats.events.map((event) => event.kind)).toEqual(["fault: slow", "fault: hang"]);
    await refreshed(server, token);
  });
});

describe("a token endpoint that fails after it handled the request", () => {
  it("lose-answer rotates and then breaks the connection: the next try is a reuse", async () => {
    server.faults.token = { kind: "lose-answer", times: 1 };
    await expect(refresh(server, token)).rejects.toThrow("fetch failed");
    expect(server.stats).toMatchObject({ refreshes: 1, reused: 0 });
    expect((await refresh(server, token)).status).toBe(400);
    expect(server.stats).toMatchObject({ reused: 1, revoked: 1 });
  });

  it("cut-answer rotates, sends the headers and breaks the connection", async () => {
    server.faults.token = { kind: "cut-answer", times: 1 };
    const response = await refresh(server, token);
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow("terminated");
    expect((await refresh(server, token)).status).toBe(400);
    expect(server.stats).toMatchObject({ refreshes: 1, reused: 1, revoked: 1 });
  });

  it("stall-body sends the headers and half of the body, and no more", async () => {
    server.faults.token = { kind: "stall-body", times: 1 };
    const client = new AbortController();
    const response = await refresh(server, token, client.signal);
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    const length = Number(response.headers.get("content-length"));
    expect(value!.length).toBe(Math.floor(length / 2));
    const rest = reader.read();
    const waited = new Promise((resolve) => setTimeout(resolve, 200, "nothing more"));
    expect(await Promise.race([rest, waited])).toBe("nothing more");
    expect(server.stats.refreshes).toBe(1);
    client.abort();
    await expect(rest).rejects.toThrow("abort");
  });

  it("close ends what hangs", async () => {
    server.faults.token = { kind: "hang" };
    const answer = refresh(server, token);
    const ended = expect(answer).rejects.toThrow("fetch failed");
    await expect.poll(() => server.stats.attempts).toBe(1);
    await server.close();
    await ended;
    server = await startServer();
  });
});

describe("pages of another origin", () => {
  const headers = { Origin: "http://elsewhere.test" };

  it.each(["down", "html-403", "throttled"] as const)("may read the answer of a token endpoint that is %s", async (kind) => {
    server.faults.token = { kind };
    const response = await fetch(server.tokenEndpoint, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "refresh_token" }),
      headers,
    });
    expect(response.headers.get("access-control-allow-origin")).toBe(headers.Origin);
    expect(response.headers.get("access-control-expose-headers")).toContain("Retry-After");
  });

  it("may read a token response, a 401's challenge, and send a bearer", async () => {
    const body = new URLSearchParams({ grant_type: "refresh_token", client_id: server.clientId, refresh_token: token });
    const answer = await fetch(server.tokenEndpoint, { method: "POST", body, headers });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, headers.Origin]);
    const api = await fetch(`${server.url}/api/me`, { headers });
    expect([api.status, api.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(api.headers.get("access-control-expose-headers")).toContain("WWW-Authenticate");
    const preflight = await fetch(`${server.url}/api/me`, {
      method: "OPTIONS",
      headers: { ...headers, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-thing" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-headers")]).toEqual([204, "authorization,x-thing"]);
  });
});

describe("the API", () => {
  it("answers 401 as often as it is told to, and then looks at the token again", async () => {
    const { access_token: accessToken } = await server.issueTokens();
    server.faults.api = { kind: "unauthorized", times: 2 };
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await me(server, accessToken)).status);
    expect(statuses).toEqual([401, 401, 200]);
  });

  it("echoes the bytes and the type it was sent, for a valid token only", async () => {
    const { access_token: accessToken } = await server.issueTokens();
    const body = new Uint8Array([0, 255, 10, 13, 128]);
    const echo = (authorization: string) =>
      fetch(`${server.url}/api/echo`, { method: "POST", body, headers: { Authorization: authorization, "Content-Type": "image/x-test" } });
    const answer = await echo(`bearer ${accessToken}`);
    expect(answer.headers.get("content-type")).toBe("image/x-test");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(body);
    expect((await echo("Bearer not-a-token")).status).toBe(401);
    expect((await echo("Bearer a.b.c")).status).toBe(401);
  });
});

describe("the control endpoints", () => {
  it("set faults, expire, revoke, reset and report", async () => {
    const { access_token: accessToken } = await server.issueTokens({ subject: "grace" });
    await control(server, "faults", { token: { kind: "down" } });
    expect((await refresh(server, token)).status).toBe(503);
    await control(server, "faults", { token: null });
    await refreshed(server, token);
    await control(server, "expire-access-tokens");
    expect((await me(server, accessToken)).status).toBe(401);
    const state = await (await control(server, "revoke", { subject: "grace" })).json();
    expect(state).toMatchObject({ stats: { attempts: 2, refreshes: 1, revoked: 1, apiUnauthorized: 1 }, faults: { token: null } });
    await control(server, "reset");
    expect(server.stats).toMatchObject({ attempts: 0, events: [] });
  });

  it("sign somebody in, for as long as the settings say", async () => {
    await control(server, "settings", { accessTokenSeconds: 7, reuseGraceSeconds: 5 });
    const tokens = (await (await control(server, "sign-in", { subject: "grace" })).json()) as Tokens;
    expect(tokens.expires_in).toBe(7);
    expect(await (await me(server, tokens.access_token)).json()).toMatchObject({ sub: "grace" });
    const next = await refreshed(server, tokens.refresh_token);
    expect(await refreshed(server, tokens.refresh_token)).toEqual(next);
    expect(server.stats).toMatchObject({ refreshes: 1, reused: 0 });
  });

  it("refuse what they do not know", async () => {
    expect((await control(server, "nothing")).status).toBe(404);
    expect((await fetch(`${server.url}/control/faults`, { method: "POST", body: "{" })).status).toBe(400);
  });
});
