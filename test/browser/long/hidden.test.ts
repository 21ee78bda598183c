import { describe, expect, it } from "vitest";
import { type ChromiumTab, launchWithRealVisibility } from "../harness/chromium.js";
import { all, expectApiFine, expectOneToken, seconds, useBrowser } from "../harness/scenario.js";

// Chained timers of a hidden page run once a minute. Chromium begins with that after five minutes, and here after one second.
const browser = useBrowser(() => launchWithRealVisibility(["--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1"]));

/** In the page. */
interface Ticking {
  ticks: number;
}

describe("R6 R15 hidden tabs whose timers run once a minute", () => {
  it("hear of the renewals of the tab in front, and are on its token when they are shown", async () => {
    const site = await browser.site({ accessTokenSeconds: 5, pollEvery: 300 });
    const { stats } = site.server;
    const tabs = (await site.openSignedIn(4)) as ChromiumTab[];
    const [front, ...hidden] = tabs;
    await front!.page.bringToFront();
    await expect.poll(() => all(hidden, () => document.visibilityState)).toEqual(hidden.map(() => "hidden"));
    await seconds(5);
    await hidden[0]!.run(() => {
      const page = Object.assign(globalThis, { ticks: 0 });
      const tick = () => {
        page.ticks += 1;
        setTimeout(tick, 100);
      };
      tick();
    });
    const { refreshes } = stats;

    await expect.poll(() => stats.refreshes, { timeout: 40_000 }).toBeGreaterThanOrEqual(refreshes + 5);

    // About twenty seconds, in which a timer of a page that is merely hidden would have fired twenty times.
    const ticks = await hidden[0]!.run(() => (globalThis as unknown as Ticking).ticks);
    expect(ticks, "the throttling that this is about").toBeLessThan(10);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
    await hidden[1]!.page.bringToFront();
    await expectOneToken([front!, hidden[1]!]);
    await expectApiFine([front!, hidden[1]!]);
  }, 120_000);
});
