import { describe, expect, it } from "vitest";
import type { App } from "../support/app.js";
import { between, seeded } from "../support/chance.js";
import { answers, down, hangs, hangsAfterRotating, slow } from "../support/faults.js";
import { HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";
import type { Lacks } from "../support/world.js";

/** So many tabs, the first of which has signed in. */
async function tabs(stage: Scene, count: number, lacks: Lacks = {}): Promise<App[]> {
  const apps = [await stage.open({}, { lacks })];
  await stage.clock.until((apps[0] as App).session.signIn(stage.server.signIn()));
  await stage.clock.advance(50);
  while (apps.length < count) apps.push(await stage.open({}, { lacks }));
  return apps;
}

const first = (apps: App[]): App => apps[0] as App;
const serials = (stage: Scene, apps: App[]) => apps.map((app) => stage.serial(app));
const KINDS: Record<string, Lacks> = { "Web Locks": {}, "the fallback lock": { locks: true } };

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
      expect(asked.map((token) => stage.server.grants.serialOf(token))).toEqual(apps.map(() => 2));
      expect(stage.server.stats).toMatchObject({ attempts: 1, reused: 0 });
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

describe("a holder that comes to grief", () => {
  async function duringRefresh(lacks: Lacks, options: Parameters<typeof scene>[0] = {}) {
    const stage = scene(options);
    const apps = await tabs(stage, 4, lacks);
    await stage.clock.sleep(2 * HOUR);
    stage.server.latency = { before: () => 500, after: () => 500 };
    for (const { tab } of apps) tab.signal("wake");
    await stage.clock.advance(200);
    const holder = stage.holder();
    return { stage, apps, holder, others: apps.filter((app) => app !== holder) };
  }

  it.each(Object.entries(KINDS))(
    "R6 with %s: crashed, and the server never saw the request: renewed by another within the mark's time",
    async (_, lacks) => {
      const stage = scene();
      const apps = await tabs(stage, 4, lacks);
      await stage.clock.sleep(2 * HOUR);
      stage.server.faults.push(hangs);
      for (const { tab } of apps) tab.signal("wake");
      await stage.clock.advance(200);
      const holder = stage.holder();
      holder.tab.crash();
      const others = apps.filter((app) => app !== holder);
      await stage.clock.advance(60 * SECOND);
      expect(others.map((app) => [app.status(), stage.serial(app)])).toEqual(others.map(() => ["signed-in", 2]));
      expect(stage.server.stats).toMatchObject({ attempts: 2, refreshes: 1, reused: 0 });
      const [dead, next] = stage.server.tokenCalls;
      expect((next?.at ?? 0) - (dead?.at ?? 0)).toBeGreaterThanOrEqual(9_900);
    },
  );

  it("R6 with a reuseGrace another takes over at once", async () => {
    const { stage, holder, others } = await duringRefresh({}, { server: { grace: 10_000 }, session: { reuseGrace: 10_000 } });
    holder.tab.crash();
    await stage.clock.advance(4 * SECOND);
    expect(others.map((app) => [app.status(), stage.serial(app) !== null])).toEqual(others.map(() => ["signed-in", true]));
    expect(stage.server.stats.reused).toBe(0);
  });

  it.each(Object.entries(KINDS))(
    "R6 with %s: frozen in the middle: waiters settle as not now, then one takes over after takeoverAfter, and the late commit is fenced off",
    async (_, lacks) => {
      const { stage, holder, others } = await duringRefresh(lacks, { server: { grace: HOUR } });
      const start = stage.clock.monotonic();
      holder.tab.freeze();
      const other = others[0] as App;
      expect(await stage.outcome(other.session.getToken(), 25_000)).toBe("busy");
      expect(other.status()).toBe("signed-in");
      expect(stage.server.stats.attempts).toBe(1);
      let taken = 0;
      while (stage.server.stats.attempts < 2 && taken < 120) {
        await stage.clock.advance(SECOND);
        taken += 1;
      }
      expect((stage.clock.monotonic() - start) / SECOND).toBeGreaterThanOrEqual(29);
      await stage.clock.advance(MINUTE);
      const current = stage.serial(other);
      expect(current).toBe(3);
      holder.tab.thaw();
      holder.tab.show();
      await stage.clock.advance(10 * SECOND);
      expect([stage.serial(holder), stage.serial(other), stage.server.stats.reused]).toEqual([current, current, 0]);
    },
  );

  it.each(Object.entries(KINDS))(
    "R6 R11 with %s: gone into the back/forward cache while others wait: they are not starved",
    async (_, lacks) => {
      const { stage, holder, others } = await duringRefresh(lacks, { server: { grace: HOUR } });
      holder.tab.enterCache();
      await stage.clock.advance(60 * SECOND);
      for (const app of others) expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
      holder.tab.leaveCache();
      await stage.clock.advance(10 * SECOND);
      expect([holder.status(), stage.serial(holder)]).toEqual(["signed-in", stage.serial(others[0] as App)]);
      expect(stage.server.stats.reused).toBe(0);
    },
  );

  it.each(Object.entries(KINDS))("R6 R45 with %s: blocked for 15 s: its answer is kept, no second refresh", async (_, lacks) => {
    const { stage, apps, holder } = await duringRefresh(lacks);
    holder.tab.block(15 * SECOND);
    await stage.clock.advance(40 * SECOND);
    expect(serials(stage, apps)).toEqual(apps.map(() => 2));
    expect(stage.server.stats).toMatchObject({ attempts: 1, reused: 0 });
  });

  it.each(Object.entries(KINDS))(
    "R6 with %s: back while the tab that passed it over is still refreshing: its late commit is fenced off by the mark alone",
    async (_, lacks) => {
      const { stage, holder, others } = await duringRefresh(lacks, { server: { grace: HOUR } });
      holder.tab.freeze();
      stage.server.fault = slow(5 * SECOND);
      for (let second = 0; stage.server.stats.attempts < 2 && second < 120; second += 1) {
        for (const { session } of others) void session.getToken().catch(() => {});
        await stage.clock.advance(SECOND);
      }
      expect(stage.holder()).not.toBe(holder);
      holder.tab.thaw();
      await stage.clock.advance(2 * SECOND);
      expect(holder.debug.map(({ type }) => type)).toContain("refresh-discarded");
      expect(stage.serial(holder)).toBeNull();
      await stage.clock.advance(10 * SECOND);
      expect([holder, ...others].map((app) => stage.serial(app))).toEqual([3, 3, 3, 3]);
    },
  );

  it.each(Object.entries(KINDS))(
    "R15 R45 with %s: the whole device sleeps in the middle, counted: on waking nobody passes the holder over",
    async (_, lacks) => {
      const { stage, apps } = await duringRefresh(lacks);
      for (const { session } of apps) void session.getToken().catch(() => {});
      await stage.clock.sleep(HOUR / 2, { counted: true });
      for (const { tab } of apps) tab.signal("wake");
      await stage.clock.advance(20 * SECOND);
      expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
      expect(serials(stage, apps)).toEqual(apps.map(() => 2));
    },
  );

  it("R6 a tab that took over a rotation whose answer was lost reports a possibly lost rotation, once in each tab", async () => {
    const stage = scene();
    const apps = await tabs(stage, 3);
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(hangsAfterRotating);
    for (const { tab } of apps) tab.signal("wake");
    await stage.clock.advance(200);
    const holder = stage.holder();
    holder.tab.crash();
    await stage.clock.advance(2 * MINUTE);
    for (const app of apps.filter((one) => one !== holder)) {
      expect(app.payloads("signed-out")).toEqual([{ reason: "rejected", possiblyLostRotation: true }]);
    }
    expect(stage.server.stats.attempts).toBe(2);
  });

  it("R5 a waiter's limit is not below the holder's: a slow but healthy refresh serves everybody", async () => {
    const stage = scene();
    const apps = await tabs(stage, 5);
    await stage.clock.sleep(2 * HOUR);
    stage.server.latency = { before: () => 4_000, after: () => 5_000 };
    const asked = apps.map(({ session }) => session.getToken());
    const tokens = await stage.clock.until(Promise.all(asked), 12_000);
    expect(tokens.map((token) => stage.server.grants.serialOf(token))).toEqual(apps.map(() => 2));
  });

  it("R18 a failed attempt of one tab is the failure of all who waited: one request, not one for each tab in the queue", async () => {
    const stage = scene();
    const apps = await tabs(stage, 6);
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = down();
    const outcomes = await Promise.all([
      ...apps.map(({ session }) => session.getToken().catch((error: { code: string }) => error.code)),
      stage.clock.advance(900),
    ]);
    expect(outcomes.slice(0, 6)).toEqual(apps.map(() => "server"));
    expect(stage.server.stats.attempts).toBe(1);
  });
});

describe("what goes between tabs", () => {
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

describe("pages that come and go", () => {
  it("R11 hide closes channel and database; show opens them again and looks at the time", async () => {
    const stage = scene();
    const apps = await tabs(stage, 2);
    const [app, other] = apps as [App, App];
    app.tab.hide();
    await stage.clock.advance(100);
    expect(stage.world.leftovers(app.tab)).toMatchObject({ channels: 0, connections: 0 });
    app.tab.freeze();
    await stage.clock.until(other.session.refresh());
    await stage.clock.sleep(10 * MINUTE);
    app.tab.thaw();
    app.tab.show();
    await stage.clock.advance(SECOND);
    expect(stage.serial(app)).toBe(2);
    expect(stage.world.leftovers(app.tab)).toMatchObject({ channels: 1 });
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(SECOND);
    expect(app.status()).toBe("signed-out: user");
  });

  it("R11 a page in the cache that missed a sign-out learns of it when it is back", async () => {
    const stage = scene();
    const [app, other] = (await tabs(stage, 2)) as [App, App];
    app.tab.enterCache();
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(HOUR);
    app.tab.leaveCache();
    await stage.clock.advance(SECOND);
    expect([app.status(), app.count("signed-out")]).toEqual(["signed-out: user", 1]);
  });

  it("R11 hide and show many times leave one channel and one listener", async () => {
    const stage = scene();
    const [app] = (await tabs(stage, 1)) as [App];
    for (let round = 0; round < 20; round += 1) {
      app.tab.hide();
      app.tab.show();
      app.tab.show();
      await stage.clock.advance(10);
    }
    expect(stage.world.leftovers(app.tab)).toMatchObject({ channels: 1, listeners: 1, locks: 0 });
    expect(stage.world.leftovers(app.tab).timers).toBeLessThanOrEqual(3);
  });

  it("R35 two sessions of the same name in one page send one refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const twin = await stage.open({}, { tab: app.tab });
    await stage.clock.sleep(2 * HOUR);
    await stage.clock.until(Promise.all([app.session.getToken(), twin.session.getToken()]));
    expect(stage.server.stats.attempts).toBe(1);
    expect([stage.serial(app), stage.serial(twin)]).toEqual([2, 2]);
  });

  it("R35 mounted, disposed of and mounted again, as StrictMode does: one refresh, no leftovers", async () => {
    const stage = scene();
    const [first] = await tabs(stage, 1);
    first?.tab.close();
    const tab = stage.world.tab();
    stage.start({}, { tab }).session.dispose();
    const app = await stage.open({}, { tab });
    await stage.clock.sleep(2 * HOUR);
    tab.signal("wake");
    await stage.clock.advance(SECOND);
    expect([stage.server.stats.attempts, stage.serial(app)]).toEqual([1, 2]);
  });

  it("R35 dispose is idempotent and leaves nothing behind at once", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.advance(SECOND);
    app.session.dispose();
    app.session.dispose();
    await stage.clock.advance(5);
    expect(stage.world.leftovers(app.tab)).toEqual({ timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 });
  });

  it("R35 dispose rejects who waits, and other tabs go on", async () => {
    const stage = scene();
    const [app, other] = (await tabs(stage, 2)) as [App, App];
    await stage.clock.sleep(2 * HOUR);
    stage.server.latency = { before: () => 500, after: () => 500 };
    const waiting = app.session.getToken().catch((error: { code: string }) => error.code);
    await stage.clock.advance(200);
    app.session.dispose();
    expect(await stage.clock.until(waiting, 10)).toBe("disposed");
    await stage.clock.advance(20 * SECOND);
    expect([other.status(), await stage.call(other)]).toEqual(["signed-in", 200]);
    expect(stage.server.stats.reused).toBe(0);
  });

  it("sessions of different names, and of different clients, are strangers", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const named = await stage.open({ name: "second account" });
    expect([app.status(), named.status()]).toEqual(["signed-in", "signed-out"]);
    await stage.clock.until(named.session.signIn(stage.server.signIn("grace")));
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect(named.status()).toBe("signed-in");
  });
});
