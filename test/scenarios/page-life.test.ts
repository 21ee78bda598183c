import { describe, expect, it } from "vitest";
import type { App } from "../support/app.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";
import { KINDS, tabs } from "../support/tabs.js";

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

  it("R35 R11 a page that comes back in the last millisecond of its wait for the lock gives up, and does not ask for ever", async () => {
    const stage = scene({ shares: true });
    const [app] = (await tabs(stage, 1, { store: true })) as [App];
    app.tab.hide();
    const waiting = app.session.refresh();
    waiting.catch(() => {});
    await stage.clock.advance(11.5 * SECOND);
    app.tab.freeze();
    await stage.clock.advance(1.5 * SECOND - 1);
    app.tab.thaw();
    expect(await stage.outcome(waiting, 10)).toBe("busy");
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

  it.each(Object.entries(KINDS))(
    "R35 with %s: disposed of in the middle of a refresh and made again, as HMR does: its answer is kept",
    async (_, lacks) => {
      const stage = scene();
      const [app] = (await tabs(stage, 1, lacks)) as [App];
      stage.server.latency = { before: () => 500, after: () => 500 };
      void app.session.refresh().catch(() => {});
      await stage.clock.advance(200);
      app.session.dispose();
      const next = await stage.open({}, { tab: app.tab });
      expect(await stage.clock.until(next.session.refresh(), 25_000)).toBe("adopted");
      expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
      expect([stage.serial(next), next.status()]).toEqual([2, "signed-in"]);
    },
  );

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
