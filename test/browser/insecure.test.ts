import { describe, expect, it } from "vitest";
import { all, expectApiFine, expectOneToken, holderOf, seconds, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

describe("R4 an origin that is not secure has no Web Locks", () => {
  it("R9 five tabs on three-second tokens: one refresh for each rotation all the same, none reused, no call of the API fails", async () => {
    const site = await browser.site({ insecure: true, accessTokenSeconds: 3, pollEvery: 300 });
    const { stats } = site.server;
    const tabs = await site.openSignedIn(5);
    expect(await all(tabs, () => `${isSecureContext} ${typeof navigator.locks}`)).toEqual(Array(5).fill("false undefined"));

    await seconds(15);

    await expectOneToken(tabs);
    await expectApiFine(tabs);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
    expect(stats.refreshes).toBeGreaterThanOrEqual(4);
    expect((await all(tabs, () => app.heard)).flat().filter((event) => !/^(signed-in|refreshed)/.test(event))).toEqual([]);
  });

  it("R6 when the tab that refreshes is closed, another one takes over", async () => {
    const session = { refreshTimeout: 3000, takeoverAfter: 6000, lead: 1500 };
    const site = await browser.site({ insecure: true, accessTokenSeconds: 6, pollEvery: 300, session });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(4);
    faults.token = { kind: "hang", times: 1 };
    const { holder, others } = await holderOf(site, tabs);

    await holder.close();

    await expect.poll(() => stats.refreshes, { timeout: 20_000 }).toBeGreaterThanOrEqual(1);
    await expectOneToken(others);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
  });
});
