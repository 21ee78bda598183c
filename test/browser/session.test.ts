import { describe, expect, it } from "vitest";
import { all, expectApiFine, expectOneToken, seconds, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

/** By default the first refresh after a sign-in comes at any time. */
const notDueYet = { lead: 5000 };

describe("a session in several tabs", () => {
  it("R38 R43 signing out in one signs out all, each once", async () => {
    const site = await browser.site({ pollEvery: 300 });
    const tabs = await site.openSignedIn(4);
    await expectApiFine(tabs);

    await tabs[2]!.run(() => app.session.signOut());

    const ends = () => all(tabs, () => app.heard.filter((event) => event.startsWith("signed-out")));
    await expect.poll(ends).toEqual(Array(4).fill(["signed-out user"]));
    expect(await all(tabs, () => app.session.getToken())).toEqual([null, null, null, null]);
    await expectApiFine(tabs);
    const [late] = await site.open(1);
    expect(await late!.run(() => app.session.getSnapshot().status)).toBe("signed-out");
  });

  it("R38 when somebody else signs in, all tabs stay signed in, as that user, with one `user-changed` each", async () => {
    const site = await browser.site({ pollEvery: 300 });
    const tabs = await site.openSignedIn(4, "ada");

    await site.signIn(tabs[1]!, "grace");

    const changes = () => all(tabs, () => app.heard.filter((event) => event.startsWith("user-changed")));
    await expect.poll(changes).toEqual(Array(4).fill(["user-changed ada → grace"]));
    await expectOneToken(tabs);
    const users = await all(tabs, async () => ((await (await app.session.fetch("/api/me")).json()) as { sub: string }).sub);
    expect(users).toEqual(Array(4).fill("grace"));
    expect((await all(tabs, () => app.heard)).flat().filter((event) => event.startsWith("signed-out"))).toEqual([]);
    // A call of ada's that was under way has to fail, so that the app shows grace nothing of hers.
    const failures = (await all(tabs, () => app.api.failures)).flat();
    expect(failures.filter((failure) => !failure.startsWith("SessionError: the answer is for a former user"))).toEqual([]);
  });

  it.each(["is closed", "goes elsewhere"])("R43 a page that %s right after `signOut()` has revoked the refresh token", async (how) => {
    const site = await browser.site({ revokes: true, session: notDueYet });
    const [tab, other] = await site.openSignedIn(2);

    const leaves = how === "goes elsewhere";
    const gone = tab!.run((leaves) => {
      void app.session.signOut();
      if (leaves) location.assign("/elsewhere?for=good");
    }, leaves);
    // It may be gone before it can say so.
    await gone.catch(() => {});
    if (!leaves) await tab!.close();

    await expect.poll(() => site.server.stats.revoked).toBe(1);
    await expect.poll(() => other!.run(() => app.heard.at(-1))).toBe("signed-out user");
    expect(site.server.stats).toMatchObject({ attempts: 0, reused: 0 });
  });

  it("R11 a page that goes elsewhere in the midst of its transactions keeps nobody from writing", async () => {
    const site = await browser.site({ session: notDueYet });
    const [tab, other] = await site.openSignedIn(2);

    // Each makes it look at the ledger.
    const gone = tab!.run(() => {
      for (let look = 0; look < 300; look++) dispatchEvent(new Event("online"));
      location.assign("/elsewhere?for=good");
    });
    await gone.catch(() => {});
    await expect.poll(() => tab!.run(() => location.pathname).catch(() => "")).toBe("/elsewhere");

    await site.signIn(other!, "grace");
    const [late] = await site.open(1);
    expect(await late!.run(() => [app.session.getSnapshot().status, app.session.getSnapshot().claims?.sub])).toEqual([
      "signed-in",
      "grace",
    ]);
  });

  it("a new tab is signed in at once, and no refresh is made for it", async () => {
    const site = await browser.site({ session: notDueYet });
    const [first] = await site.openSignedIn(1);

    const [second] = await site.open(1);

    expect(await second!.run(() => app.session.getSnapshot().status)).toBe("signed-in");
    expect(await second!.run(async () => (await app.session.fetch("/api/me")).status)).toBe(200);
    await expectOneToken([first!, second!]);
    expect(site.server.stats.attempts).toBe(0);
  });

  it("a reloaded tab is signed in at once, and no refresh is made for it", async () => {
    const site = await browser.site({ session: notDueYet });
    const [tab] = await site.openSignedIn(1);
    const before = await tab!.run(() => app.serial());

    await tab!.reload();
    await tab!.run(() => app.session.ready);

    expect(await tab!.run(() => app.session.getSnapshot().status)).toBe("signed-in");
    expect(await tab!.run(() => app.serial())).toBe(before);
    expect(await tab!.run(async () => (await app.session.fetch("/api/me")).status)).toBe(200);
    expect(site.server.stats.attempts).toBe(0);
  });

  it("a session that expired while no tab was open is renewed by the first one, once", async () => {
    // Long enough for the tab to be gone before a refresh is due, on a busy machine, too.
    const site = await browser.site({ accessTokenSeconds: 4, session: { lead: 500 } });
    const [tab] = await site.openSignedIn(1);
    await tab!.goto(`${site.url}/elsewhere?without=the-app`);
    await tab!.close();
    const before = site.server.stats.attempts;
    await seconds(4.5);
    expect(site.server.stats.attempts).toBe(before);
    site.server.settings.accessTokenSeconds = 30;

    const tabs = await site.open(3);

    await expectOneToken(tabs);
    expect(site.server.stats).toMatchObject({ attempts: before + 1, reused: 0, revoked: 0 });
  });

  it("memory mode: siblings get the access token but cannot renew it, and end when its owner is gone", async () => {
    const site = await browser.site({ accessTokenSeconds: 4, inMemory: true, session: { refreshTimeout: 3000 } });
    const tabs = await site.openSignedIn(3);
    const [owner, ...others] = tabs;
    await expect.poll(() => site.server.stats.refreshes, { timeout: 10_000 }).toBeGreaterThanOrEqual(1);
    await expectOneToken(tabs);
    expect(await all(others, () => app.token.sent)).toEqual([0, 0]);

    await owner!.close();

    const ends = () => all(others, () => app.heard.filter((event) => event.startsWith("signed-out")));
    await expect.poll(ends, { timeout: 20_000 }).toEqual(Array(2).fill(["signed-out owner-closed"]));
    expect(site.server.stats.reused).toBe(0);
  });
});

describe("R32 another origin", () => {
  it("never gets the bearer: neither when it is called, nor when the API redirects to it", async () => {
    const site = await browser.site();
    const [tab] = await site.openSignedIn(1);
    const { url, requests } = site.strangers;

    await tab!.run(async (stranger) => {
      await app.session.fetch(`${stranger}/direct`);
      await app.session.fetch("/redirect");
      await app.session.fetch("/redirect", { method: "POST", body: "something", headers: { "content-type": "text/plain" } });
      await app.session.fetch(new Request("/redirect"));
    }, url);

    const seen = requests.filter(({ method }) => method !== "OPTIONS");
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /direct",
      "GET /redirected",
      "POST /redirected",
      "GET /redirected",
    ]);
    expect(seen.filter(({ authorized }) => authorized)).toEqual([]);
    // The same calls do carry it where they may, else this test would prove nothing.
    expect(await tab!.run(async () => (await app.session.fetch("/api/me")).status)).toBe(200);
  });
});
