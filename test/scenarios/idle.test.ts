import { describe, expect, it } from "vitest";
import { idleLimit } from "../../src/index.js";
import { down } from "../../src/testing/faults.js";
import type { App } from "../support/app.js";
import { HOUR, kept, MINUTE, revokingStrategy, type Scene, type SceneOptions, SECOND, scene } from "../support/scene.js";

const limit = { after: 15 * MINUTE, warnBefore: MINUTE };
const idle = ({ session, ...options }: SceneOptions = {}) =>
  scene({ ...options, session: { idle: idleLimit(limit), lead: 5 * MINUTE, ...session } });

/** Somebody is there all the time, in this tab. */
async function active(stage: Scene, app: App, milliseconds: number, every = 10 * SECOND): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += every) {
    app.tab.activity();
    await stage.clock.advance(every);
  }
}
const pair = async (stage: Scene) => [await stage.signedIn(), await stage.open()] as [App, App];

describe("the idle limit", () => {
  it("R41 ends the session in all tabs, with reason idle, although it could be renewed", async () => {
    const stage = idle();
    const apps = await pair(stage);
    await stage.clock.advance(limit.after - SECOND);
    expect(apps.map((app) => app.status())).toEqual(["signed-in", "signed-in"]);
    await stage.clock.advance(2 * SECOND);
    for (const app of apps) {
      expect([app.status(), app.count("signed-out"), app.bare.peekToken()]).toEqual(["signed-out: idle", 1, null]);
      expect(await stage.outcome(app.session.getToken())).toBeNull();
    }
    expect((await stage.open()).status()).toBe("signed-out: idle");
    await stage.clock.advance(2 * HOUR);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("R35 R41 may be answered by disposing of the session when it is warned of: nothing is left behind", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    app.session.on("idle-warning", () => app.session.dispose());
    await stage.clock.advance(limit.after - limit.warnBefore + SECOND);
    expect(app.count("idle-warning")).toBe(1);
    expect(stage.world.leftovers(app.tab).timers).toBe(0);
  });

  it("R41 activity in any tab counts for all", async () => {
    const stage = idle();
    const apps = await pair(stage);
    await active(stage, apps[0], HOUR + 30 * MINUTE);
    expect(apps.map((app) => [app.status(), app.count("idle-warning")])).toEqual([
      ["signed-in", 0],
      ["signed-in", 0],
    ]);
    expect([stage.server.stats.refreshes, stage.serial(apps[1])]).toEqual([1, 2]);
  });

  it("R41 is counted from the last sign of life, not from the one that was last written", async () => {
    const stage = idle();
    const [app, sibling] = await pair(stage);
    await stage.clock.advance(MINUTE);
    app.tab.activity();
    await stage.clock.advance(20 * SECOND);
    app.session.touch();
    await stage.clock.advance(limit.after - SECOND);
    expect([app.status(), sibling.status()]).toEqual(["signed-in", "signed-in"]);
    await stage.clock.advance(2 * SECOND);
    expect([app.status(), sibling.status()]).toEqual(["signed-out: idle", "signed-out: idle"]);
  });

  it("R41 writes at most twice a minute, however much happens", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    const before = stage.world.stores.writes.length;
    await active(stage, app, 10 * MINUTE, 100);
    expect(stage.world.stores.writes.length - before).toBeLessThanOrEqual(21);
  });

  it("R8 a call with a fresh token touches no storage, idle limit or not", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    const before = stage.world.stores.transactions;
    for (let call = 0; call < 5; call++) await stage.clock.until(app.session.getToken());
    expect(stage.world.stores.transactions).toBe(before);
  });

  it("R41 a lid closed for a night is idle time, and nothing is renewed first on waking", async () => {
    for (const counted of [false, true]) {
      const stage = idle();
      const apps = await pair(stage);
      await active(stage, apps[0], MINUTE);
      await stage.clock.sleep(8 * HOUR, { counted });
      // The first thing the page hears is the mouse.
      apps[0].tab.activity();
      expect(apps[0].bare.peekToken()).toBeNull();
      const asked = apps[1].session.getToken();
      apps[0].tab.signal("wake");
      expect(await stage.outcome(asked)).toBeNull();
      await stage.clock.advance(MINUTE);
      expect(apps.map((app) => app.status())).toEqual(["signed-out: idle", "signed-out: idle"]);
      expect(stage.server.stats.attempts).toBe(0);
    }
  });

  it("R41 a clock that jumps past the limit is noticed without any signal", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    stage.clock.jump(3 * HOUR);
    await stage.clock.advance(MINUTE + SECOND);
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: idle", 0]);
  });

  it("R41 a clock that is turned back gives nobody more time", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    await stage.clock.advance(10 * MINUTE);
    stage.clock.jump(-HOUR);
    await stage.clock.advance(5 * MINUTE + SECOND);
    expect(app.status()).toBe("signed-out: idle");
  });

  it("R41 R11 a page that comes back from the back/forward cache after the limit has no session, and brings none back", async () => {
    const stage = idle();
    const [app, sibling] = await pair(stage);
    app.tab.activity();
    app.tab.enterCache();
    await stage.clock.advance(HOUR);
    expect(sibling.status()).toBe("signed-out: idle");
    app.tab.leaveCache();
    app.tab.activity();
    await stage.clock.advance(SECOND);
    expect([app.status(), (await stage.open()).status()]).toEqual(["signed-out: idle", "signed-out: idle"]);
  });

  it("R41 a page that was frozen while somebody was active in another one goes on", async () => {
    const stage = idle();
    const [app, sibling] = await pair(stage);
    app.tab.freeze();
    await active(stage, sibling, 40 * MINUTE);
    app.tab.thaw();
    expect(await stage.clock.until(app.session.getToken())).toBe(sibling.bare.peekToken());
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-in", 0]);
  });

  it("R41 what is noted when the page is left is written", async () => {
    const stage = idle();
    const [app, sibling] = await pair(stage);
    app.tab.activity();
    await stage.clock.advance(25 * SECOND);
    app.tab.activity();
    app.tab.hide();
    await stage.clock.advance(SECOND);
    app.tab.crash();
    await stage.clock.advance(limit.after - 2 * SECOND);
    expect(sibling.status()).toBe("signed-in");
  });

  it("R41 neither activity nor touch() brings back a session that was signed out", async () => {
    const stage = idle();
    const [app, sibling] = await pair(stage);
    app.tab.activity();
    await stage.clock.advance(SECOND);
    app.tab.activity();
    await stage.clock.until(sibling.session.signOut());
    app.session.touch();
    await stage.clock.advance(5 * MINUTE);
    expect([app.status(), sibling.status()]).toEqual(["signed-out: user", "signed-out: user"]);
  });

  it("R41 activity during a refresh does not make its commit fail", async () => {
    const stage = idle();
    const [app, sibling] = await pair(stage);
    stage.server.latency = { before: () => 2 * SECOND, after: () => 2 * SECOND };
    const asked = app.session.refresh();
    await stage.clock.advance(SECOND);
    sibling.tab.activity();
    await stage.clock.advance(SECOND);
    app.tab.activity();
    expect(await stage.clock.until(asked)).toBe("refreshed");
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.serial(sibling), stage.server.stats.attempts]).toEqual([2, 2, 1]);
    // What was noted meanwhile was not lost by the commit.
    await stage.clock.advance(limit.after - 5 * SECOND);
    expect(app.status()).toBe("signed-in");
  });

  it("R25 R41 the late answer to a refresh that was under way at the limit is discarded, and given back", async () => {
    const stage = idle({ session: { refresh: revokingStrategy() } });
    const app = await stage.signedIn();
    await stage.clock.advance(limit.after - 3 * SECOND);
    stage.server.latency = { before: () => 2 * SECOND, after: () => 2 * SECOND };
    const asked = stage.outcome(app.session.refresh());
    expect(await asked).toBe("signed-out");
    await stage.clock.advance(10 * SECOND);
    expect([app.status(), app.count("refreshed")]).toEqual(["signed-out: idle", 0]);
    expect(stage.server.stats.revocations).toBe(2);
  });

  it("R41 gives the refresh token back once, though all tabs end", async () => {
    const stage = idle({ session: { refresh: revokingStrategy() } });
    await pair(stage);
    await stage.clock.advance(limit.after + MINUTE);
    expect(stage.server.stats.revocations).toBe(1);
  });

  it("R41 storage that hangs at the limit does not keep the session alive", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    await stage.clock.advance(14 * MINUTE);
    stage.world.stores.trouble = () => "hanging";
    await stage.clock.advance(MINUTE + 5 * SECOND);
    expect([app.status(), app.bare.peekToken()]).toEqual(["signed-out: idle", null]);
    stage.world.stores.trouble = () => "none";
  });

  it.each([
    ["without storage", { store: true }, "indexeddb"],
    ["in memory mode", {}, "memory"],
  ] as const)("R41 %s it is shared, too", async (_, lacks, persist) => {
    const stage = idle({ shares: true, session: { persist: kept(persist) } });
    const apps = [await stage.open({}, { lacks }), await stage.open({}, { lacks })] as [App, App];
    await stage.clock.until(apps[0].session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    await active(stage, apps[1], 40 * MINUTE);
    expect(apps.map((app) => app.status())).toEqual(["signed-in", "signed-in"]);
    await stage.clock.advance(limit.after + SECOND);
    expect(apps.map((app) => app.status())).toEqual(["signed-out: idle", "signed-out: idle"]);
  });

  it("R41 activity in a tab whose storage has failed counts for the others", async () => {
    const stage = idle({ shares: true });
    const [app, sibling] = await pair(stage);
    stage.world.stores.trouble = (tab) => (tab === app.tab ? "denied" : "none");
    await active(stage, app, 20 * MINUTE);
    expect([app.status(), sibling.status(), sibling.count("idle-warning")]).toEqual(["signed-in", "signed-in", 0]);
    stage.world.stores.trouble = () => "none";
    await active(stage, app, MINUTE);
  });

  it("R41 what a tab has noted counts there, though its timer for telling the others is late", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    app.session.touch();
    await stage.clock.advance(SECOND);
    app.tab.timerGrid = 20 * MINUTE;
    app.session.touch();
    await stage.clock.advance(14 * MINUTE);
    app.session.touch();
    await stage.clock.advance(5 * MINUTE);
    expect(await stage.clock.until(app.session.getToken())).not.toBeNull();
  });

  it("R41 does not pass for the end of the token: minValidity is served all the same", async () => {
    const stage = idle();
    const app = await stage.signedIn();
    await active(stage, app, 44 * MINUTE);
    await stage.clock.until(app.session.getToken({ minValidity: 20 * MINUTE }));
    expect([stage.serial(app), stage.server.stats.refreshes]).toEqual([2, 1]);
  });

  it("R41 signing in again at the limit is a new session, whichever comes first", async () => {
    for (const before of [-1, 0, 1]) {
      const stage = idle();
      const [app, sibling] = await pair(stage);
      await stage.clock.advance(limit.after - 52 + before);
      await stage.clock.until(sibling.session.signIn(stage.server.signIn("bob")));
      await stage.clock.advance(MINUTE);
      expect([app.status(), sibling.status()]).toEqual(["signed-in", "signed-in"]);
    }
  });

  it("refuses what is no duration, and says what is", () => {
    expect(() => idleLimit({ after: 0 })).toThrow("idleLimit: after must be milliseconds, above 0");
    expect(() => idleLimit({ after: 1000, warnBefore: 1000 })).toThrow("warnBefore must be milliseconds, from 0 to below after");
  });
});

describe("the idle warning", () => {
  it("R41 is given once in every tab, with the time left", async () => {
    const stage = idle();
    const apps = await pair(stage);
    await stage.clock.advance(limit.after - MINUTE + SECOND);
    for (const app of apps) {
      const [warning, ...more] = app.payloads("idle-warning");
      expect(more).toEqual([]);
      expect(warning?.remaining).toBeGreaterThan(MINUTE - 100);
      expect(Math.abs((warning?.endsAt ?? 0) - stage.clock.now() - MINUTE + SECOND)).toBeLessThan(100);
    }
  });

  it("R41 activity in one tab takes it away in all, at once, and the time begins anew", async () => {
    const stage = idle();
    const apps = await pair(stage);
    await stage.clock.advance(limit.after - 30 * SECOND);
    apps[1].tab.activity();
    await stage.clock.advance(50);
    expect(apps.map((app) => app.count("idle-cancelled"))).toEqual([1, 1]);
    await stage.clock.advance(limit.after - 2 * MINUTE);
    expect(apps.map((app) => [app.status(), app.count("idle-warning")])).toEqual([
      ["signed-in", 1],
      ["signed-in", 1],
    ]);
    await stage.clock.advance(MINUTE + SECOND);
    expect(apps.map((app) => app.count("idle-warning"))).toEqual([2, 2]);
  });

  it("can be left out", async () => {
    const stage = scene({ session: { idle: idleLimit({ after: 15 * MINUTE, warnBefore: 0 }) } });
    const app = await stage.signedIn();
    await stage.clock.advance(HOUR);
    expect(app.events()).toEqual(["signed-in", "signed-out"]);
  });
});

describe("renewal while nobody is there", () => {
  const long = () => scene({ server: { accessSeconds: 300 }, session: { idle: idleLimit({ after: 2 * HOUR }) } });

  it("R41 does not happen ahead of expiry: the token is left to lapse", async () => {
    const stage = long();
    const [app, sibling] = await pair(stage);
    await stage.clock.advance(HOUR);
    expect([app.status(), stage.server.stats.attempts, app.bare.peekToken(), sibling.bare.peekToken()]).toEqual([
      "signed-in",
      0,
      null,
      null,
    ]);
  });

  it("R41 happens at the first sign of life", async () => {
    const stage = long();
    const [app, sibling] = await pair(stage);
    await stage.clock.advance(HOUR);
    sibling.tab.activity();
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.serial(sibling), stage.server.stats.attempts]).toEqual([2, 2, 1]);
  });

  it("R41 does not happen when the network is back after a renewal that failed", async () => {
    const stage = long();
    const app = await stage.signedIn();
    app.tab.activity();
    stage.server.fault = down();
    await stage.clock.advance(5 * MINUTE);
    const { attempts } = stage.server.stats;
    expect(attempts).toBeGreaterThan(0);
    stage.server.fault = null;
    await stage.clock.until(app.session.refresh());
    stage.server.fault = down();
    expect(await stage.outcome(app.session.refresh())).toBe("server");
    const tried = stage.server.stats.attempts;
    await stage.clock.advance(30 * MINUTE);
    app.tab.signal("online");
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.attempts).toBe(tried);
  });

  it("R41 happens for a call that needs a token", async () => {
    const stage = long();
    const app = await stage.signedIn();
    await stage.clock.advance(HOUR);
    expect([await stage.call(app), stage.server.stats.refreshes]).toEqual([200, 1]);
  });
});
