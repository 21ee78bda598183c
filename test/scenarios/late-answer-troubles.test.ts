import { describe, expect, it } from "vitest";
import { hangs } from "../../src/testing/faults.js";
import { waiting } from "../support/late-answer.js";
import { HOUR, SECOND } from "../support/scene.js";
import { serials } from "../support/tabs.js";

const oneRequest = { attempts: 1, refreshes: 1, reused: 0 };

describe("a holder whose answer is late", () => {
  it.each(["close", "crash"] as const)("R84 R6 %s: another tab tries when the request can no longer be running", async (end) => {
    const { stage, holder, other, at } = await waiting(15, { fault: hangs });
    holder.tab[end]();
    await at(29.9);
    expect([stage.server.stats.attempts, other.status()]).toEqual([1, "signed-in"]);
    await at(35);
    expect([stage.serial(other), stage.server.stats]).toMatchObject([2, { attempts: 2, reused: 0 }]);
  });

  it.each([
    ["frozen", "freeze", "thaw"],
    ["in the back/forward cache", "enterCache", "leaveCache"],
  ] as const)("R84 R6 R11 %s, and back in time: its answer counts", async (_, leave, comeBack) => {
    const { stage, apps, holder, at } = await waiting(15);
    holder.tab[leave]();
    await at(27);
    holder.tab[comeBack]();
    await at(35);
    expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
  });

  it.each([
    ["frozen", "freeze", "thaw"],
    ["in the back/forward cache", "enterCache", "leaveCache"],
  ] as const)(
    "R84 R6 R11 %s for longer: another tab takes over after `takeoverAfter`, and the late answer is discarded",
    async (_, leave, comeBack) => {
      const { stage, apps, holder, other, at } = await waiting(15, { fault: hangs });
      holder.tab[leave]();
      await at(29.9);
      expect([stage.server.stats.attempts, other.status()]).toEqual([1, "signed-in"]);
      await at(40);
      expect(stage.serial(other)).toBe(2);
      holder.tab[comeBack]();
      await at(45);
      expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], { attempts: 2, reused: 0 }]);
    },
  );

  it("R84 disposed of: its answer is stored for the other tabs", async () => {
    const { stage, holder, other, at } = await waiting(12);
    holder.bare.dispose();
    await at(21);
    expect(stage.server.grants.serialOf((await stage.outcome(other.session.getToken())) as string)).toBe(2);
    expect(stage.server.stats).toMatchObject(oneRequest);
  });

  it("R84 a tab that is opened meanwhile sends nothing, and gets the answer", async () => {
    const { stage, holder, at } = await waiting(12);
    const opened = await stage.open();
    expect([opened.status(), await stage.outcome(opened.session.getToken())]).toEqual(["signed-in", "timeout"]);
    await at(21);
    expect([serials(stage, [holder, opened]), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
  });

  it("R84 a page that is loaded anew meanwhile sends nothing while the request may be running", async () => {
    const { stage, holder, other, at } = await waiting(15, { fault: hangs });
    holder.tab.close();
    other.tab.close();
    const reloaded = await stage.open();
    await at(30);
    expect([reloaded.status(), stage.server.stats.attempts]).toEqual(["signed-in", 1]);
    await at(40);
    expect([stage.serial(reloaded), stage.server.stats]).toMatchObject([2, { attempts: 2, reused: 0 }]);
  });
});

describe("time that does not pass as it should, while an answer is late", () => {
  it.each([true, false])("R84 R45 a device that falls asleep keeps the answer; its sleep counted: %s", async (counted) => {
    const { stage, apps } = await waiting(12);
    await stage.clock.sleep(HOUR / 4, { counted });
    await stage.clock.advance(5 * SECOND);
    expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
  });

  it("R84 after a sleep of an hour, a request without an answer is sent again within seconds", async () => {
    const { stage, apps } = await waiting(5, { fault: hangs });
    await stage.clock.sleep(HOUR, { counted: true });
    await stage.clock.advance(6 * SECOND);
    expect([serials(stage, apps), stage.server.stats.attempts]).toEqual([[2, 2], 2]);
  });

  it.each([HOUR, -HOUR])("R84 a clock that is set by %d ms meanwhile causes no second request", async (jump) => {
    const { stage, apps, at } = await waiting(12);
    stage.clock.jump(jump);
    for (const second of [13, 16, 19]) {
      for (const { session, tab } of apps) {
        session.getToken().catch(() => {});
        tab.signal("wake");
      }
      await at(second);
    }
    await at(23);
    expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
    for (const app of apps) expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
  });

  it.each(["online", "wake"] as const)("R84 the signal %s meanwhile causes no second request", async (signal) => {
    const { stage, apps, at } = await waiting(12);
    for (const { tab } of apps) tab.signal(signal);
    await at(23);
    expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
  });
});
