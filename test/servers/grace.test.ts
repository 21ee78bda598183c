import { describe, expect, it, onTestFinished } from "vitest";
import { startServer } from "../../servers/oauth/index.js";
import { refresh, refreshed } from "./client.js";

async function start(reuseGraceSeconds: number) {
  const server = await startServer({ reuseGraceSeconds });
  onTestFinished(() => server.close());
  const { refresh_token: token } = await server.issueTokens();
  return { server, token };
}

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

describe("a grace period for used refresh tokens", () => {
  it("gives a used one the same answer again, and the session goes on", async () => {
    const { server, token } = await start(30);
    const first = await refreshed(server, token);
    expect(await refreshed(server, token)).toEqual(first);
    await refreshed(server, first.refresh_token);
    expect(server.stats).toMatchObject({ attempts: 3, refreshes: 2, reused: 0, revoked: 0 });
  });

  it("gives two that come together one answer", async () => {
    const { server, token } = await start(30);
    const [one, other] = await Promise.all([refreshed(server, token), refreshed(server, token)]);
    expect(one).toEqual(other);
    expect(server.stats).toMatchObject({ refreshes: 1, reused: 0 });
  });

  it("heals an answer that was lost", async () => {
    const { server, token } = await start(30);
    server.faults.token = { kind: "lose-answer", times: 1 };
    await expect(refresh(server, token)).rejects.toThrow("fetch failed");
    await refreshed(server, (await refreshed(server, token)).refresh_token);
    expect(server.stats).toMatchObject({ refreshes: 2, reused: 0 });
  });

  it("is over after its time", async () => {
    const { server, token } = await start(0.2);
    const { refresh_token: successor } = await refreshed(server, token);
    await seconds(0.3);
    expect((await refresh(server, token)).status).toBe(400);
    expect((await refresh(server, successor)).status, "the session has ended").toBe(400);
    expect(server.stats).toMatchObject({ refreshes: 1, reused: 1, revoked: 1 });
  });

  it("keeps no refusal: a token that was not handled is as good as before", async () => {
    const { server, token } = await start(30);
    server.faults.token = { kind: "down", times: 1 };
    expect((await refresh(server, token)).status).toBe(503);
    await refreshed(server, token);
  });
});

describe("weather at the token endpoint", () => {
  it("takes its time, and meets no request when there is no chance of it", async () => {
    const { server, token } = await start(0);
    server.faults.token = { kind: "weather", milliseconds: 100, chances: { down: 0, loseAnswer: 0 } };
    await refreshed(server, token);
    expect(server.stats.events.filter(({ kind }) => kind.startsWith("fault"))).toEqual([]);
  });

  it("has its chances of a 503 and of a lost answer", async () => {
    const { server, token } = await start(30);
    server.faults.token = { kind: "weather", milliseconds: 10, chances: { down: 1, loseAnswer: 0 } };
    expect((await refresh(server, token)).status).toBe(503);
    expect(server.stats.refreshes).toBe(0);
    server.faults.token = { kind: "weather", milliseconds: 10, chances: { down: 0, loseAnswer: 1 } };
    await expect(refresh(server, token)).rejects.toThrow("fetch failed");
    expect(server.stats.refreshes).toBe(1);
  });
});
