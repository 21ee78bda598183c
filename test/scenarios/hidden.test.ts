import { describe, expect, it } from "vitest";
import { hangs } from "../../src/testing/faults.js";
import type { App } from "../support/app.js";
import { HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";
import { KINDS, tabs } from "../support/tabs.js";

/** One of the tabs dies while its request is on its way, and the others are in the background. */
async function orphaned(stage: Scene, apps: App[], grid: number): Promise<App[]> {
  await stage.clock.sleep(2 * HOUR);
  stage.server.faults.push(hangs);
  for (const { tab } of apps) tab.signal("wake");
  await stage.clock.advance(200);
  const holder = stage.holder();
  holder.tab.crash();
  const others = apps.filter((app) => app !== holder);
  for (const { tab } of others) tab.timerGrid = grid;
  return others;
}

describe("hidden tabs, whose timers are held back, when the tab that was refreshing has died", () => {
  it.each(Object.entries(KINDS))("R6 with %s: one of them takes over within minutes", async (_, lacks) => {
    const stage = scene();
    const others = await orphaned(stage, await tabs(stage, 3, lacks), SECOND);
    await stage.clock.advance(5 * MINUTE);
    expect(stage.server.stats).toMatchObject({ attempts: 2, refreshes: 1, reused: 0 });
    for (const app of others) expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
  });

  // Only what a page was there to see counts, and that is five seconds of each minute: it takes long, but it comes to an end.
  it.each([
    ["Web Locks", {}, 8],
    ["the fallback lock", { locks: true }, 15],
  ])("R6 with %s: also where timers come once a minute", async (_, lacks, minutes) => {
    const stage = scene();
    await orphaned(stage, await tabs(stage, 3, lacks), MINUTE);
    await stage.clock.advance(minutes * MINUTE);
    expect(stage.server.stats.refreshes).toBeGreaterThan(0);
    expect(stage.server.stats.reused).toBe(0);
  });

  it("R6 one that is shown after an hour has a token within two minutes", async () => {
    const stage = scene();
    const [other] = (await orphaned(stage, await tabs(stage, 2), SECOND)) as [App];
    // Nothing is to be gained in that hour, so that a debt of time would show afterwards.
    stage.world.network.offline = true;
    await stage.clock.advance(HOUR);
    stage.world.network.offline = false;
    other.tab.timerGrid = 0;
    other.tab.signal("wake");
    await stage.clock.advance(2 * MINUTE);
    expect([other.status(), stage.serial(other)]).toEqual(["signed-in", 2]);
  });
});
