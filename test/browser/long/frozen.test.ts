import { describe, expect, it } from "vitest";
import { type ChromiumTab, launchWithRealVisibility } from "../harness/chromium.js";
import { all, expectApiFine, expectOneToken, holderOf, useBrowser } from "../harness/scenario.js";

// Freezing is Chromium's: no other engine does it.
const browser = useBrowser(() => launchWithRealVisibility());

/** Brings another tab to the front, since only a hidden page can be frozen, and sees that it is. */
async function freeze(tab: ChromiumTab, front: ChromiumTab): Promise<void> {
  await front.page.bringToFront();
  await expect.poll(() => tab.run(() => document.visibilityState)).toBe("hidden");
  await tab.freeze();
}

describe("R15 a tab that Chromium has frozen", () => {
  it("and thaws after several lifetimes of the token is on the token of the others at once, without a refresh", async () => {
    const site = await browser.site({ accessTokenSeconds: 8, pollEvery: 300 });
    const { settings, stats } = site.server;
    const tabs = (await site.openSignedIn(3)) as ChromiumTab[];
    const [frozen, front, third] = tabs;
    const refreshedMore = (times: number) => {
      const before = stats.refreshes;
      return expect.poll(() => stats.refreshes, { timeout: 30_000 }).toBeGreaterThanOrEqual(before + times);
    };
    // Just renewed: for six seconds nobody refreshes, who would keep the others waiting if it were frozen.
    await refreshedMore(1);
    await expectOneToken(tabs);
    await freeze(frozen!, front!);
    settings.accessTokenSeconds = 3;
    await refreshedMore(4);

    // The next token lasts, so that no refresh is due when it thaws.
    settings.accessTokenSeconds = 60;
    await refreshedMore(1);
    await expectOneToken([front!, third!]);
    const { attempts } = stats;
    await frozen!.thaw();

    await expectOneToken(tabs);
    expect(stats.attempts).toBe(attempts);
    await expectApiFine(tabs);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
  });

  it("R6 in the middle of its refresh is passed over, and finds the token of the others when it thaws", async () => {
    const session = { refreshTimeout: 3000, takeoverAfter: 6000, lead: 1500 };
    const site = await browser.site({ accessTokenSeconds: 6, pollEvery: 300, session });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(3);
    faults.token = { kind: "hang", times: 1 };
    const { holder, others } = await holderOf(site, tabs);
    await freeze(holder as ChromiumTab, others[0] as ChromiumTab);

    await expect.poll(() => stats.refreshes, { timeout: 20_000 }).toBeGreaterThanOrEqual(1);
    await expectOneToken(others);
    await (holder as ChromiumTab).thaw();

    await expectOneToken(tabs);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
    expect((await all(tabs, () => app.heard)).flat().filter((event) => event.startsWith("signed-out"))).toEqual([]);
  });

  it("R6 R84 in the middle of its refresh by a worker has sent the refresh token once, and the others get the answer", async () => {
    const session = { refreshTimeout: 3000, takeoverAfter: 6000, lead: 5000 };
    const site = await browser.site({ accessTokenSeconds: 600, session, vault: { worker: "/vault-worker.js" } });
    const { stats, faults } = site.server;
    const tabs = (await site.openSignedIn(2)) as [ChromiumTab, ChromiumTab];
    const [front, asks] = tabs;
    await front.page.bringToFront();
    faults.token = { kind: "late-answer", milliseconds: 1500, times: 1 };
    await asks.run(() => void app.session.refresh().catch(() => {}));
    await expect.poll(() => stats.attempts, { interval: 20 }).toBe(1);
    await freeze(asks, front);

    expect(await front.run(() => app.session.refresh())).toBe("refreshed");
    expect(stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    await asks.thaw();
    await expectOneToken(tabs);
    expect(await asks.run(() => app.session.refresh())).toBe("refreshed");
    await expectOneToken(tabs);
    expect(stats).toMatchObject({ attempts: 2, refreshes: 2, reused: 0 });
  });
});
