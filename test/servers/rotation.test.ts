import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServer } from "../../servers/oauth/index.js";
import { me, refresh, refreshed, type Server } from "./client.js";

describe.each(["jwt", "opaque"] as const)("the demo's OAuth server with %s access tokens", (accessTokenFormat) => {
  let server: Server;
  beforeEach(async () => {
    server = await startServer({ accessTokenFormat, accessTokenSeconds: 7 });
  });
  afterEach(() => server.close());

  it("issues tokens in code, as a token endpoint would, and does not count it", async () => {
    const tokens = await server.issueTokens({ subject: "grace" });
    expect(tokens).toMatchObject({ token_type: "Bearer", expires_in: 7, scope: "api" });
    expect(decodeJwt(String(tokens.id_token))).toMatchObject({ sub: "grace", name: "Grace Hopper", aud: server.clientId });
    expect(tokens.access_token.split(".")).toHaveLength(accessTokenFormat === "jwt" ? 3 : 1);
    expect(server.stats).toMatchObject({ attempts: 0, refreshes: 0, events: [] });
    expect(await (await me(server, tokens.access_token)).json()).toMatchObject({ sub: "grace", serial: 1 });
  });

  it("gives a new refresh token at each refresh and leaves older access tokens valid", async () => {
    const first = await server.issueTokens();
    const second = await refreshed(server, first.refresh_token);
    const third = await refreshed(server, second.refresh_token);
    expect(new Set([first, second, third].map((tokens) => tokens.refresh_token)).size).toBe(3);
    expect(server.stats).toMatchObject({ attempts: 2, refreshes: 2, reused: 0, revoked: 0 });
    const answers = await Promise.all([first, second, third].map((tokens) => me(server, tokens.access_token)));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    const serials = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { serial: number }).serial));
    expect(serials).toEqual([1, 2, 3]);
  });

  it("ends the session when a used refresh token comes back, and counts each time that one does", async () => {
    const first = await server.issueTokens();
    const other = await server.issueTokens();
    const second = await refreshed(server, first.refresh_token);
    const reused = await refresh(server, first.refresh_token);
    expect(reused.status).toBe(400);
    expect(await reused.json()).toMatchObject({ error: "invalid_grant" });
    expect((await refresh(server, second.refresh_token)).status, "the winner's token is gone too").toBe(400);
    expect((await me(server, second.access_token)).status).toBe(401);
    expect(server.stats).toMatchObject({ attempts: 3, refreshes: 1, reused: 1, revoked: 1 });
    await refresh(server, first.refresh_token);
    expect(server.stats).toMatchObject({ reused: 2, revoked: 1 });
    expect((await me(server, other.access_token)).status, "another session of the same user goes on").toBe(200);
  });

  it("lets only one of two simultaneous refreshes with the same token through", async () => {
    const { refresh_token: token } = await server.issueTokens();
    const answers = await Promise.all([refresh(server, token), refresh(server, token)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 400]);
    expect(server.stats).toMatchObject({ attempts: 2, refreshes: 1, reused: 1, revoked: 1 });
  });

  it("revokes a refresh token at the client's request, and its session with it (RFC 7009)", async () => {
    const tokens = await server.issueTokens();
    const body = new URLSearchParams({ token: tokens.refresh_token, client_id: server.clientId });
    expect((await fetch(server.revocationEndpoint, { method: "POST", body })).status).toBe(200);
    expect(server.stats.revoked).toBe(1);
    expect((await refresh(server, tokens.refresh_token)).status).toBe(400);
    expect((await me(server, tokens.access_token)).status).toBe(401);
    expect(server.stats.reused, "a revoked token is not a used one").toBe(0);
  });

  it("revokes the sessions of one user, or of all, as an administrator", async () => {
    const ada = await server.issueTokens({ subject: "ada" });
    const grace = await server.issueTokens({ subject: "grace" });
    expect(server.revokeAll("ada")).toBe(1);
    expect([(await me(server, ada.access_token)).status, (await me(server, grace.access_token)).status]).toEqual([401, 200]);
    expect((await refresh(server, ada.refresh_token)).status).toBe(400);
    expect(server.revokeAll()).toBe(1);
    expect((await refresh(server, grace.refresh_token)).status).toBe(400);
    expect(server.stats).toMatchObject({ revoked: 2, refreshes: 0 });
  });

  it("refuses the access tokens issued before now, and not the next one", async () => {
    const first = await server.issueTokens();
    server.expireAccessTokens();
    const refused = await me(server, first.access_token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    const second = await refreshed(server, first.refresh_token);
    expect((await me(server, second.access_token)).status).toBe(200);
    expect(server.stats).toMatchObject({ apiOk: 1, apiUnauthorized: 1 });
  });

  it("never writes a token into its log", async () => {
    const first = await server.issueTokens();
    const second = await refreshed(server, first.refresh_token);
    await refresh(server, first.refresh_token);
    await me(server, second.access_token);
    const state = await (await fetch(`${server.url}/control/state`)).text();
    const leaked = [first, second]
      .flatMap((tokens) => [tokens.access_token, tokens.refresh_token])
      .filter((token) => state.includes(token));
    expect(leaked).toHaveLength(0);
    expect(server.stats.events.map((event) => event.kind)).toContain("refreshed");
  });
});

it("refuses an access token after its lifetime and a refresh token after its own", async () => {
  const server = await startServer({ accessTokenSeconds: 1, refreshTokenSeconds: 1 });
  try {
    const tokens = await server.issueTokens();
    await expect.poll(async () => (await me(server, tokens.access_token)).status, { timeout: 3000 }).toBe(401);
    await expect.poll(async () => (await refresh(server, tokens.refresh_token)).status, { timeout: 3000 }).toBe(400);
  } finally {
    await server.close();
  }
});
