import { describe, expect, it } from "vitest";
import { all, cannot, expectApiFine, expectOneToken, seconds, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

/** Tokens of three seconds, watched for three rotations. */
const site = () => browser.site({ accessTokenSeconds: 3, pollEvery: 300 });

describe("R9 one refresh for each rotation, none reused, no call of the API fails", () => {
  it("with two sessions of one name in one page, which end together", async () => {
    const { server, ...rest } = await site();
    const tabs = await rest.openSignedIn(2);
    await tabs[0]!.run(async () => {
      const twin = app.twin();
      await twin.ready;
      Object.assign(globalThis, { twin });
      twin.on("signed-out", ({ reason }) => app.heard.push(`twin signed-out ${reason}`));
    });

    await expect.poll(() => server.stats.refreshes, { timeout: 15_000 }).toBeGreaterThanOrEqual(3);

    const both = () => tabs[0]!.run(async () => [await app.session.getToken(), await (globalThis as unknown as Twin).twin.getToken()]);
    await expect.poll(async () => new Set(await both()).size).toBe(1);
    await expectOneToken(tabs);
    await expectApiFine(tabs);
    expect(server.stats).toMatchObject({ reused: 0, revoked: 0 });

    await tabs[1]!.run(() => app.session.signOut());
    const ends = () => tabs[0]!.run(() => app.heard.filter((event) => event.includes("signed-out")).sort());
    await expect.poll(ends).toEqual(["signed-out user", "twin signed-out user"]);
  });

  it("with a tab that was duplicated, its sessionStorage with it", async () => {
    const { server, ...rest } = await site();
    const tabs = await rest.openSignedIn(2);
    await tabs[0]!.run(() => sessionStorage.setItem("mine", "yes"));

    const copy = await tabs[0]!.duplicate();

    await copy.run(() => app.session.ready);
    expect(await copy.run(() => sessionStorage.getItem("mine"))).toBe("yes");
    const { refreshes } = server.stats;
    await expect.poll(() => server.stats.refreshes, { timeout: 15_000 }).toBeGreaterThanOrEqual(refreshes + 3);
    await expectOneToken([...tabs, copy]);
    await expectApiFine([...tabs, copy]);
    expect(server.stats).toMatchObject({ reused: 0, revoked: 0 });
    expect((await all([...tabs, copy], () => app.heard)).flat().filter((event) => !/^(signed-in|refreshed)/.test(event))).toEqual([]);
    await copy.close();
  });

  it("in a private window, which knows nothing of the session outside, and leaves it alone", async (context) => {
    const open = browser.current.privateWindow;
    cannot(context, !open, "all of its windows are of that kind when it is driven");
    const { server, ...rest } = await site();
    const outside = await rest.openSignedIn(2, "ada");
    const window = await open!();
    try {
      const [stranger] = await rest.open(1, window);
      expect(await stranger!.run(() => app.session.getSnapshot().status)).toBe("signed-out");
      const inside = [stranger!, ...(await rest.openSignedIn(2, "grace", window))];
      const { refreshes } = server.stats;
      await expect.poll(() => server.stats.refreshes, { timeout: 20_000 }).toBeGreaterThanOrEqual(refreshes + 6);
      await expectOneToken(inside);
      await expectOneToken(outside);
      await inside[0]!.run(() => app.session.signOut());
      await expect.poll(() => all(inside, () => app.session.getSnapshot().status)).toEqual(inside.map(() => "signed-out"));
      await seconds(1);
      expect(await all(outside, () => String(app.session.getSnapshot().claims?.sub))).toEqual(["ada", "ada"]);
      await expectApiFine(outside);
      expect(server.stats.reused).toBe(0);
    } finally {
      await window.close();
    }
  }, 120_000);
});

/** In the page. */
interface Twin {
  twin: { getToken(): Promise<string | null> };
}
