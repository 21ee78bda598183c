import { describe, expect, it } from "vitest";
import { all, expectApiFine, expectOneToken, holderOf, seconds, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

/** With a lead of their own, refreshes are due when the test is ready for them. */
const session = { refreshTimeout: 3000, takeoverAfter: 6000, lead: 1500 };

describe("R6 a tab is closed while its refresh is at the server", () => {
  it("which has a grace period: another one goes ahead at once, and nobody is signed out", async () => {
    const site = await browser.site({
      accessTokenSeconds: 6,
      pollEvery: 300,
      reuseGraceSeconds: 20,
      // A mark that outlives the wait for the next attempt.
      session: { ...session, refreshTimeout: 15_000, takeoverAfter: 30_000, reuseGrace: 20_000 },
    });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(4);
    faults.token = { kind: "stall-body", times: 1 };
    const { holder, others } = await holderOf(site, tabs);
    await expect.poll(() => stats.refreshes).toBe(1);

    await holder.close();

    // Before the mark of the closed tab would have run out.
    await expect.poll(() => stats.attempts, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    await expectOneToken(others);
    await seconds(6);
    await expectOneToken(others);
    await expectApiFine(others);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
    expect((await all(others, () => app.heard)).flat().filter((event) => event.startsWith("signed-out"))).toEqual([]);
  });

  it("which rotates a cookie: the browser has the new one all the same, and nobody is signed out", async () => {
    const site = await browser.site({ accessTokenSeconds: 6, pollEvery: 300, way: "cookie", session });
    const { stats, faults } = site.backend;
    const tabs = await site.openSignedIn(4);
    const before = stats.attempts;
    const sentBefore = await all(tabs, () => app.token.sent);
    faults.token = { kind: "late-answer", milliseconds: 1500, times: 1 };
    await expect.poll(() => stats.attempts, { timeout: 15_000, interval: 20 }).toBe(before + 1);
    const sent = await all(tabs, () => app.token.sent);
    const [holder] = tabs.filter((_, index) => sent[index] !== sentBefore[index]);
    const others = tabs.filter((tab) => tab !== holder);

    await holder!.close();

    const { refreshes } = stats;
    await expect.poll(() => stats.refreshes, { timeout: 20_000 }).toBeGreaterThanOrEqual(refreshes + 1);
    await expectOneToken(others);
    await expectApiFine(others);
    expect(stats.reused).toBe(0);
    expect((await all(others, () => app.heard)).flat().filter((event) => event.startsWith("signed-out"))).toEqual([]);
  });
});

describe("R38 R43 the user signs out", () => {
  it("while another tab refreshes: all end once, and the answer that comes afterwards brings nobody back", async () => {
    const site = await browser.site({ accessTokenSeconds: 6, pollEvery: 300, session });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(4);
    faults.token = { kind: "late-answer", milliseconds: 1500, times: 1 };
    const { others } = await holderOf(site, tabs);

    await others[0]!.run(() => app.session.signOut());

    const ends = () => all(tabs, () => app.heard.filter((event) => event.startsWith("signed-out")));
    await expect.poll(ends).toEqual(Array(4).fill(["signed-out user"]));
    await seconds(3);
    expect(await ends()).toEqual(Array(4).fill(["signed-out user"]));
    expect(await all(tabs, () => app.session.getToken())).toEqual(Array(4).fill(null));
    expect(stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    await expectApiFine(tabs);
    const [late] = await site.open(1);
    expect(await late!.run(() => app.session.getSnapshot().status)).toBe("signed-out");
  });
});
