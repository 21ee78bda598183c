import { describe, expect, it } from "vitest";
import { between, seeded } from "../../src/testing/chance.js";
import { answers } from "../../src/testing/faults.js";
import type { Lacks } from "../../src/testing/world.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";
import { first, KINDS, serials, tabs } from "../support/tabs.js";

describe("tabs that come near expiry together", () => {
  it.each(Object.entries(KINDS))("R1 R9 with %s: twenty tabs, one refresh for each token, all on its token", async (_, lacks) => {
    const chance = seeded(20);
    const any = between(chance, 0, 40);
    const stage = scene({
      server: { accessSeconds: 60 },
      world: { chance, delays: { message: any, lock: any, store: between(chance, 0, 10), network: any } },
    });
    const apps = await tabs(stage, 20, lacks);
    await stage.clock.advance(5 * MINUTE);
    expect(stage.server.stats).toMatchObject({ reused: 0, rejected: 0, maximumInFlight: 1 });
    expect(stage.server.stats.attempts).toBe(stage.server.stats.refreshes);
    expect(stage.server.stats.refreshes).toBeLessThanOrEqual(8);
    expect(new Set(serials(stage, apps))).toEqual(new Set([stage.server.grants.lastSerial]));
  });

  it.each(Object.entries(KINDS))(
    "R1 R2 with %s: all ask at the same moment after sleep; one refresh, all get its token",
    async (_, lacks) => {
      const stage = scene();
      const apps = await tabs(stage, 8, lacks);
      await stage.clock.sleep(2 * HOUR);
      stage.server.latency = { before: () => 300, after: () => 300 };
      const asked = await stage.clock.until(Promise.all(apps.map(({ session }) => session.getToken())));
      // Who has the token does not wait for the lock to be let go; listeners do.
      await stage.clock.advance(50);
      expect(asked.map((token) => stage.server.grants.serialOf(token))).toEqual(apps.map(() => 2));
      expect(stage.server.stats).toMatchObject({ attempts: 1, reused: 0 });
      await stage.clock.advance(20);
      const kinds = apps.flatMap((app) => app.payloads("refreshed").map(({ adopted }) => adopted));
      expect(kinds.filter((adopted) => !adopted)).toHaveLength(1);
      expect(kinds).toHaveLength(8);
    },
  );

  it("R2 a lock that arrives after a newer token was stored makes no request", async () => {
    // The message about the new token takes far longer than the hand-over of the lock.
    const stage = scene({ world: { delays: { message: () => 3_000 } } });
    const apps = await tabs(stage, 3);
    const outcomes = await stage.clock.until(Promise.all(apps.map(({ session }) => session.refresh())));
    expect(outcomes.filter((outcome) => outcome === "refreshed")).toHaveLength(1);
    expect(stage.server.stats.attempts).toBe(1);
    const told = apps.flatMap((app) => app.payloads("refreshed").map(({ adopted }) => adopted));
    expect(told.sort()).toEqual([false, true, true]);
  });

  it("R2 messages that are lost altogether change nothing but the delay", async () => {
    const stage = scene({ server: { accessSeconds: 60 } });
    const apps = await tabs(stage, 4);
    stage.world.channels.lose = () => true;
    await stage.clock.advance(10 * MINUTE);
    expect(stage.server.stats).toMatchObject({ reused: 0, rejected: 0, maximumInFlight: 1 });
    for (const app of apps) expect(await stage.call(app)).toBe(200);
  });

  it("R9 without a database, by BroadcastChannel alone, losers converge and nobody is signed out", async () => {
    const stage = scene({ server: { accessSeconds: 60, grace: 5_000 }, shares: true });
    const apps = [await stage.open({}, { lacks: { locks: true, store: true } })];
    while (apps.length < 5) apps.push(await stage.open({}, { lacks: { locks: true, store: true } }));
    await stage.clock.until(first(apps).session.signIn(stage.server.signIn()));
    await stage.clock.advance(10 * MINUTE);
    expect(stage.server.stats.reused).toBe(0);
    for (const app of apps) expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
  });

  it("R3 a refusal while another tab has rotated: its token is adopted, nobody is signed out", async () => {
    // The second tab has neither database nor locks of its own, so it does not know what the first one does until it is told.
    const stage = scene({ world: { delays: { message: () => 60 } }, shares: true });
    const lacks = { locks: true, store: true };
    const apps = [await stage.open({}, { lacks }), await stage.open({}, { lacks })];
    const tokens = stage.server.signIn();
    await stage.clock.until(Promise.all(apps.map(({ session }) => session.signIn(tokens))));
    await stage.clock.advance(SECOND);
    stage.server.faults.push({ processed: true }, answers(400, { error: "invalid_grant" }));
    const outcomes = await stage.clock.until(
      Promise.all(apps.map(({ session }) => session.refresh().catch((error: { code: string }) => error.code))),
    );
    await stage.clock.advance(SECOND);
    expect(outcomes).not.toContain("rejected");
    for (const app of apps) expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
  });
});

describe("a browser without working locks", () => {
  it.each([{ locks: true }, { locks: "null" }, { locks: "throws" }, { locks: "rejects" }] satisfies Lacks[])(
    "R4 %j: falls back without an uncaught error, one refresh for all tabs",
    async (lacks) => {
      const stage = scene();
      const apps = await tabs(stage, 5, lacks);
      const outcomes = await stage.clock.until(Promise.all(apps.map(({ session }) => session.refresh())));
      expect(outcomes.filter((outcome) => outcome === "refreshed")).toHaveLength(1);
      expect(stage.server.stats).toMatchObject({ attempts: 1, reused: 0 });
      expect(new Set(serials(stage, apps))).toEqual(new Set([2]));
    },
  );

  it("R5 a lock that is never granted: a typed error or a token within the limit, never null, never signed out", async () => {
    const stage = scene();
    const apps = await tabs(stage, 2, { locks: "never" });
    await stage.clock.sleep(2 * HOUR);
    const outcome = await stage.outcome(first(apps).session.getToken(), 25_000);
    expect(outcome === "busy" || stage.server.grants.serialOf(outcome as string) === 2).toBe(true);
    expect(first(apps).status()).toBe("signed-in");
    await stage.clock.advance(2 * MINUTE);
    expect(stage.server.stats.reused).toBe(0);
  });

  it.each(["InvalidStateError", "AbortError"])(
    "R4 locks that say %s at once, as in a frame that was removed, spin nothing",
    async (name) => {
      const stage = scene();
      const tab = stage.world.tab();
      const request = () => Promise.reject(new DOMException("not fully active", name));
      const app = await stage.open({ environment: { ...tab.environment, locks: { request } } }, { tab });
      await stage.clock.until(app.session.signIn(stage.server.signIn()));
      const before = stage.world.stores.transactions;
      expect(await stage.outcome(app.session.refresh(), 30_000)).toBe("busy");
      expect(stage.world.stores.transactions - before).toBeLessThan(100);
    },
  );

  it("R4 no channel either: the database alone keeps the tabs together", async () => {
    for (const channel of [true, "throws"] as const) {
      const stage = scene({ server: { accessSeconds: 60 } });
      const apps = await tabs(stage, 4, { locks: true, channel });
      await stage.clock.advance(5 * MINUTE);
      expect(stage.server.stats).toMatchObject({ reused: 0, rejected: 0, maximumInFlight: 1 });
      for (const app of apps) expect(await stage.call(app)).toBe(200);
    }
  });
});
