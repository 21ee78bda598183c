import { describe, expect, it } from "vitest";
import { all, cannot, expectApiFine, expectOneToken, holderOf, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

/** Short enough that nobody waits half a minute. With a lead of their own, refreshes are due when the test is ready for them. */
const session = { refreshTimeout: 3000, takeoverAfter: 6000, lead: 1500 };

/** In the page: keeps its main thread busy, as a long computation or a debugger does. */
function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

describe("R6 the tab that refreshes", () => {
  const gone = [
    ["is closed", "close"],
    ["crashes", "crash"],
  ] as const;

  it.for(gone)("%s before the server has handled its request: another one takes over, and nobody notices", async ([, end], context) => {
    cannot(context, end === "crash" && !browser.current.survivesCrash, "its driver ends with the page that crashes");
    const site = await browser.site({ accessTokenSeconds: 6, pollEvery: 300, session });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(4);
    faults.token = { kind: "hang", times: 1 };
    const { holder, others } = await holderOf(site, tabs);

    await holder[end]();

    await expect.poll(() => stats.refreshes, { timeout: 15_000 }).toBeGreaterThanOrEqual(1);
    await expectOneToken(others);
    await expectApiFine(others);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
  });

  it.for(gone)(
    "%s after the server has rotated: one clean sign-out in all tabs, said to be a possibly lost rotation",
    async ([, end], context) => {
      cannot(context, end === "crash" && !browser.current.survivesCrash, "its driver ends with the page that crashes");
      const site = await browser.site({ accessTokenSeconds: 6, pollEvery: 300, session });
      const { stats, faults } = site.server;
      const tabs = await site.openSignedIn(4);
      faults.token = { kind: "stall-body", times: 1 };
      const { holder, others } = await holderOf(site, tabs);
      await expect.poll(() => stats.refreshes).toBe(1);

      await holder[end]();

      const ends = () => all(others, () => app.heard.filter((event) => event.startsWith("signed-out")));
      await expect.poll(ends, { timeout: 20_000 }).toEqual(Array(3).fill(["signed-out rejected (lost)"]));
      expect(await all(others, () => app.session.getToken())).toEqual([null, null, null]);
      expect(stats).toMatchObject({ attempts: 2, refreshes: 1, reused: 1 });
    },
  );

  it("R11 goes into the back/forward cache while others wait: they are not starved, and it is on their token when it comes back", async (context) => {
    cannot(context, !browser.current.backForwardCache, "this browser has no back/forward cache");
    const site = await browser.site({ accessTokenSeconds: 6, pollEvery: 300, session });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(4);
    faults.token = { kind: "hang", times: 1 };
    const { holder, others } = await holderOf(site, tabs);

    await holder.goto(site.elsewhere);

    await expect.poll(() => stats.refreshes, { timeout: 15_000 }).toBeGreaterThanOrEqual(1);
    await expectOneToken(others);
    await expectApiFine(others);

    site.goBack();
    await expect.poll(() => site.reports.length, { message: "the page came back from the cache and said so" }).toBeGreaterThan(0);
    const isBack = async () => site.reports.at(-1)?.serial === (await others[0]!.run(() => app.serial()));
    await expect.poll(isBack, { timeout: 10_000 }).toBe(true);
    expect(site.reports.at(-1)).toMatchObject({ status: "signed-in", failures: [] });
    await expectApiFine(others);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
  });

  it("R45 is blocked for 15 s: the others wait for it, its answer counts when it wakes, and no call of the API fails", async () => {
    // So early that the token expires in the middle, and no call has to wait for longer than it may (13 s).
    const site = await browser.site({ accessTokenSeconds: 20, pollEvery: 300, session: { lead: 6000 } });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(4);
    faults.token = { kind: "slow", milliseconds: 1000, times: 1 };
    const { holder } = await holderOf(site, tabs);

    await holder.run(block, 15_000);

    await expect.poll(() => holder.run(() => app.heard)).toContain("refreshed");
    expect(stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    await expectOneToken(tabs);
    await expectApiFine(tabs);
  }, 90_000);

  it("is blocked beyond `takeoverAfter`: it is passed over, and does nothing about it when it wakes", async () => {
    const site = await browser.site({ accessTokenSeconds: 6, pollEvery: 300, session });
    const { stats, faults } = site.server;
    const tabs = await site.openSignedIn(4);
    faults.token = { kind: "hang", times: 1 };
    const { holder, others } = await holderOf(site, tabs);
    const woken = holder.run(block, 20_000);
    // Awaited below; were this test to fail before, its page would be closed under it.
    woken.catch(() => {});

    // Not before `takeoverAfter`, and not much more than one wait of a tab later.
    await expect.poll(() => stats.refreshes, { timeout: 18_000 }).toBeGreaterThanOrEqual(1);
    await expectOneToken(others);
    await woken;
    await expectOneToken(tabs);
    expect(stats).toMatchObject({ reused: 0, revoked: 0 });
  });
});
