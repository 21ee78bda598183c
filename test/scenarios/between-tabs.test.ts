import { describe, expect, it } from "vitest";
import { HOUR, SECOND, scene } from "../support/scene.js";
import { first, KINDS, serials, tabs } from "../support/tabs.js";

describe("a new tab, and a tab that has a fresh token", () => {
  it.each(Object.entries(KINDS))("with %s is signed in at once, without a refresh", async (_, lacks) => {
    const stage = scene();
    const apps = await tabs(stage, 1, lacks);
    const before = stage.clock.monotonic();
    apps.push(await stage.open({}, { lacks }));
    expect(stage.clock.monotonic() - before).toBeLessThan(100);
    expect(serials(stage, apps)).toEqual([1, 1]);
    expect([stage.server.stats.attempts, apps[1]?.status()]).toEqual([0, "signed-in"]);
  });

  it("after a reload likewise, with the refresh token too", async () => {
    const stage = scene();
    const [app] = await tabs(stage, 1);
    app?.tab.close();
    const reloaded = await stage.open();
    expect(stage.serial(reloaded)).toBe(1);
    await stage.clock.advance(HOUR);
    expect([stage.server.stats.refreshes > 0, reloaded.status(), await stage.call(reloaded)]).toEqual([true, "signed-in", 200]);
  });

  it("R8 touches no lock, no storage and no network for getToken, peekToken and fetch", async () => {
    const stage = scene();
    const apps = await tabs(stage, 2);
    await stage.clock.advance(SECOND);
    const touched = () => [
      stage.world.stores.transactions,
      stage.world.locks.names().length,
      stage.world.locks.grants.length,
      stage.world.channels.posted.length,
    ];
    const before = [touched(), stage.world.network.sent.length];
    for (const app of apps) {
      for (let round = 0; round < 10; round += 1) {
        await stage.clock.until(app.session.getToken());
        app.bare.peekToken();
      }
    }
    expect([touched(), stage.world.network.sent.length]).toEqual(before);
    expect(await stage.call(first(apps))).toBe(200);
    expect(touched()).toEqual(before[0]);
    expect(stage.world.network.sent.length - (before[1] as number)).toBe(1);
  });
});

describe("what goes between tabs", () => {
  it("R7 is told to the app only when this tab does not hold the lock", async () => {
    const stage = scene();
    const held: number[] = [];
    const holder = await stage.signedIn({ debug: () => held.push(stage.world.locks.runningIn(holder.tab)) });
    const sibling = await stage.open();
    stage.server.latency = { before: () => 500, after: () => 500 };
    holder.session.refresh().catch(() => {});
    await stage.clock.advance(200);
    expect(stage.world.locks.runningIn(holder.tab)).toBe(1);
    held.length = 0;
    holder.bare.subscribe(() => held.push(stage.world.locks.runningIn(holder.tab)));
    await stage.clock.until(sibling.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(5 * SECOND);
    expect(held.length).toBeGreaterThan(1);
    expect(new Set(held)).toEqual(new Set([0]));
  });

  it("R10 is no token at all when the database holds them", async () => {
    const stage = scene();
    await tabs(stage, 3);
    await stage.clock.advance(3 * HOUR);
    expect(stage.world.channels.posted.length).toBeGreaterThan(0);
    // The scene looks for every token of the server in every message.
  });

  it("R10 a message from a stranger, of the wrong shape, epoch or version, changes nothing", async () => {
    const stage = scene();
    const [app] = await tabs(stage, 1);
    const name = stage.world.channels.posted[0]?.name ?? "";
    const stranger = stage.world.channels.open(stage.world.tab("stranger"), name);
    const real = stage.world.channels.posted
      .map(({ message }) => message as { record?: Record<string, unknown> })
      .find(({ record }) => record);
    const forged = { ...real, at: stage.clock.now(), record: { ...real?.record, version: -1, signedIn: false } };
    const odd = [
      null,
      undefined,
      7,
      "signed-out",
      {},
      [],
      { type: "changed" },
      { type: "changed", at: "now", record: {} },
      { type: "ask", version: Number.NaN, at: 1 },
      { type: "changed", at: 1, record: { epoch: "x" } },
      forged,
      real,
    ];
    for (const message of odd) stranger.postMessage(message);
    await stage.clock.advance(SECOND);
    expect([app?.status(), app && stage.serial(app)]).toEqual(["signed-in", 1]);
    expect(app?.events()).toEqual(["signed-in"]);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("R10 a clock in a stranger's message cannot take the tokens away", async () => {
    const stage = scene();
    const [app] = await tabs(stage, 1);
    const name = stage.world.channels.posted[0]?.name ?? "";
    const stranger = stage.world.channels.open(stage.world.tab("stranger"), name);
    for (const at of [0, -1e15, 1e15, Number.MAX_VALUE]) stranger.postMessage({ type: "ask", at, version: 1 });
    await stage.clock.advance(SECOND);
    expect(app && (await stage.call(app))).toBe(200);
    await stage.clock.advance(HOUR);
    expect(app && (await stage.call(app))).toBe(200);
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(8);
  });
});
