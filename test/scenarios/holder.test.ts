import { describe, expect, it, vi } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { down, hangs, hangsAfterRotating, slow } from "../../src/testing/faults.js";
import { API } from "../../src/testing/token-server.js";
import type { Lacks } from "../../src/testing/world.js";
import type { App } from "../support/app.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";
import { KINDS, serials, tabs } from "../support/tabs.js";

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

  it.each([
    [0.4, "visible", 0],
    [4.9, "visible", 0],
    [9.5, "visible", 2],
    [0.4, "hidden", 0],
    [4.9, "hidden", 0],
    [9.5, "hidden", 0],
  ])("R6 crashed when the others have waited for %d s, %s: their callers get the next one's token", async (seconds, where, latency) => {
    const stage = scene();
    const apps = await tabs(stage, 4);
    await stage.clock.sleep(2 * HOUR);
    if (where === "hidden") for (const { tab } of apps) tab.timerGrid = SECOND;
    await stage.clock.advance(500);
    stage.server.faults.push(hangs);
    const asked = apps.map(({ session }) => session.getToken());
    await stage.clock.advance(seconds * SECOND);
    const holder = stage.holder();
    stage.server.latency = { before: () => (latency / 2) * SECOND, after: () => (latency / 2) * SECOND };
    holder.tab.crash();
    const waiting = asked.filter((_, index) => apps[index] !== holder);
    const tokens = await stage.clock.until(Promise.all(waiting), 14 * SECOND);
    expect(tokens.map((token) => stage.server.grants.serialOf(token))).toEqual([2, 2, 2]);
    const [dead, next] = stage.server.tokenCalls;
    expect((next?.at ?? 0) - (dead?.at ?? 0)).toBeGreaterThanOrEqual(9_900);
    expect(stage.server.stats).toMatchObject({ attempts: 2, refreshes: 1 });
  });

  it("R6 who waits for the lock looks at the ledger after half a second, and then every five", async () => {
    const stage = scene();
    const apps = await tabs(stage, 2);
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(hangs);
    const requests = apps.map(({ tab }) => vi.spyOn(tab.environment.locks as LockManager, "request"));
    for (const { session } of apps) void session.getToken();
    await stage.clock.advance(9 * SECOND);
    expect(requests.map(({ mock }) => mock.calls.length).sort()).toEqual([1, 3]);
  });

  it("R6 with a reuseGrace another takes over at once", async () => {
    const { stage, holder, others } = await duringRefresh({}, { server: { grace: 10_000 }, session: { reuseGrace: 10_000 } });
    holder.tab.crash();
    await stage.clock.advance(4 * SECOND);
    expect(others.map((app) => [app.status(), stage.serial(app) !== null])).toEqual(others.map(() => ["signed-in", true]));
    expect(stage.server.stats.reused).toBe(0);
  });

  it("R6 with a reuseGrace, of the tabs that pass a stuck holder over at the same moment one refreshes (simulation, seeds 293305, 486783, 891629)", async () => {
    const { stage, holder, others } = await duringRefresh({}, { server: { grace: HOUR }, session: { reuseGrace: 10_000 } });
    holder.tab.freeze();
    stage.server.latency = { before: () => 2_000, after: () => 2_000 };
    for (let second = 0; stage.server.stats.attempts < 2 && second < 120; second += 1) {
      for (const { session } of others) void session.getToken().catch(() => {});
      await stage.clock.advance(SECOND);
    }
    await stage.clock.advance(5 * SECOND);
    expect(stage.server.stats.attempts).toBe(2);
    expect(serials(stage, others)).toEqual(others.map(() => 3));
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

  /** The others' scheduled refreshes wait for one whose holder stands still, and the API refuses the token that they have. */
  async function duringScheduled(lacks: Lacks, standStill: (holder: App) => void) {
    const stage = scene();
    const apps = await tabs(stage, 4, lacks);
    stage.server.latency = { before: () => 500, after: () => 500 };
    const { refreshDueAt } = (apps[0] as App).session.getSnapshot();
    await stage.clock.advance((refreshDueAt as number) - stage.clock.now() + 200);
    const holder = stage.holder();
    standStill(holder);
    stage.server.grants.expireAccessTokens();
    return { stage, others: apps.filter((app) => app !== holder) };
  }

  it.each(Object.entries(KINDS))(
    "R6 R45 with %s: blocked for 15 s in a refresh that was not needed at first: no call that is refused meanwhile fails",
    async (_, lacks) => {
      const { stage, others } = await duringScheduled(lacks, ({ tab }) => tab.block(15 * SECOND));
      const answers = [0, 0.5, 3, 7, 12, 12.9].map(async (seconds, index) => {
        await stage.clock.pause(seconds * SECOND);
        return (await (others[index % 3] as App).session.fetch(`${API}/me`)).status;
      });
      expect(await stage.clock.until(Promise.all(answers), 20 * SECOND)).toEqual(answers.map(() => 200));
      expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    },
  );

  it.each(Object.entries(KINDS))(
    "R6 with %s: frozen in a refresh that was not needed at first: a call that is refused meanwhile waits for one more, and gets its 401",
    async (_, lacks) => {
      const { stage, others } = await duringScheduled(lacks, ({ tab }) => tab.freeze());
      const start = stage.clock.monotonic();
      await stage.clock.advance(12 * SECOND);
      expect(await stage.call(others[0] as App)).toBe(401);
      expect((stage.clock.monotonic() - start) / SECOND).toBeCloseTo(26, 0);
      expect(stage.server.stats.attempts).toBe(1);
    },
  );

  it.each(Object.entries(KINDS))(
    "R6 with %s: frozen: a call that is refused and has waited by itself gets its 401 then",
    async (_, lacks) => {
      const stage = scene();
      const [holder, other] = (await tabs(stage, 2, lacks)) as [App, App];
      stage.server.latency = { before: () => 500, after: () => 500 };
      holder.session.refresh().catch(() => {});
      await stage.clock.advance(200);
      holder.tab.freeze();
      stage.server.grants.expireAccessTokens();
      const start = stage.clock.monotonic();
      expect(await stage.call(other)).toBe(401);
      expect((stage.clock.monotonic() - start) / SECOND).toBeCloseTo(13, 0);
    },
  );

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
    "R6 R45 with %s: its answer is kept when the tab that passed it over got nothing for it (simulation, seed 13610)",
    async (_, lacks) => {
      const { stage, holder, others } = await duringRefresh(lacks, { server: { grace: HOUR } });
      holder.tab.freeze();
      stage.server.fault = down();
      for (let second = 0; stage.server.stats.attempts < 2 && second < 120; second += 1) {
        for (const { session } of others) void session.getToken().catch(() => {});
        await stage.clock.advance(SECOND);
      }
      expect([stage.holder() !== holder, stage.server.stats.refreshes]).toEqual([true, 1]);
      await stage.clock.advance(SECOND);
      holder.tab.thaw();
      await stage.clock.advance(2 * SECOND);
      expect([holder, ...others].map((app) => stage.serial(app))).toEqual([2, 2, 2, 2]);
    },
  );

  it.each(Object.entries(KINDS))(
    "R6 R45 with %s: held up between its mark and the request, it does not send what could be answered only after the deadline (simulation, seed 4074)",
    async (_, lacks) => {
      const stage = scene();
      const [app] = await tabs(stage, 2, lacks);
      stage.server.latency = { before: () => 1_500, after: () => 1_500 };
      let held = false;
      stage.world.stores.onWrite = ({ value }) => {
        if (!held && (value as LedgerRecord).refreshing) (app as App).tab.block(8 * SECOND);
        held ||= (value as LedgerRecord).refreshing !== undefined;
      };
      const refreshed = (app as App).session.refresh();
      expect(await stage.outcome(refreshed)).toBe("refreshed");
      expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    },
  );

  it.each(Object.entries(KINDS))(
    "R15 R45 with %s: the whole device sleeps in the middle, counted: on waking nobody passes the holder over",
    async (_, lacks) => {
      const { stage, apps } = await duringRefresh(lacks);
      // The network, too, needs a moment to wake up.
      stage.server.latency = { before: () => 500, after: () => HOUR / 2 };
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
      expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: true, error: { code: "rejected" } }]);
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
