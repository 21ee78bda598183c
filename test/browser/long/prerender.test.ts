import { describe, expect, it, type TestContext } from "vitest";
import { launchPrerendering, type Page, type PrerenderingTab } from "../harness/prerendering.js";
import { cannot, seconds, useBrowser } from "../harness/scenario.js";
import type { Site } from "../harness/site.js";

// Chromium's alone.
const browser = useBrowser(launchPrerendering);

/** Short, so that a page that counts its waits while it is prerendered gives up, or takes over, within {@link UNSEEN}. */
const session = { refreshTimeout: 1000, takeoverAfter: 3000, lead: 1000 };
/** As short, and long enough for the other tab's answer to come within it, counted from activation. */
const patient = { refreshTimeout: 5000, takeoverAfter: 8000, lead: 1000 };
/** For so long nobody looks at the prerendered page. In seconds. */
const UNSEEN = 12;

/** In the page: what became of its two calls. */
interface Calls {
  calls: { token?: string; response?: number | string };
}

/** Calls that need a token, in a page that has none which is valid. */
const call = (page: Page) =>
  page.run(() => {
    const { calls } = Object.assign(globalThis, { calls: {} as Calls["calls"] });
    app.session.getToken().then(
      (token) => Object.assign(calls, { token: token ? "a token" : "none" }),
      ({ code }) => Object.assign(calls, { token: code }),
    );
    app.session.fetch("/api/me").then(
      ({ status }) => Object.assign(calls, { response: status }),
      ({ code }) => Object.assign(calls, { response: code }),
    );
  });

const seen = (page: Page) =>
  page.run(() => ({
    prerendering: (document as unknown as { prerendering: boolean }).prerendering,
    status: app.session.getSnapshot().status,
    sent: app.token.sent,
    calls: (globalThis as unknown as Calls).calls,
  }));

const waiting = { prerendering: true, status: "signed-in", sent: 0, calls: {} };

/** A tab without the app, whose profile has a session with an access token that has expired. */
async function expired(context: TestContext): Promise<{ site: Site; tab: PrerenderingTab }> {
  cannot(context, !browser.current.backForwardCache, "a headless shell prerenders no page");
  const site = await browser.site({ accessTokenSeconds: 3, session });
  const [tab] = (await site.openSignedIn(1)) as PrerenderingTab[];
  await tab!.goto(`${site.elsewhere}?without=the-app`);
  await seconds(3.5);
  site.server.settings.accessTokenSeconds = 600;
  return { site, tab: tab! };
}

/** A tab whose refresh is answered some seconds after {@link UNSEEN}, and which holds the lock meanwhile. */
async function refreshing(context: TestContext) {
  cannot(context, !browser.current.backForwardCache, "a headless shell prerenders no page");
  const site = await browser.site({ accessTokenSeconds: 3, session: { refreshTimeout: 40_000, takeoverAfter: 60_000, lead: 1000 } });
  const [holder] = (await site.openSignedIn(1)) as PrerenderingTab[];
  site.server.settings.accessTokenSeconds = 600;
  site.server.faults.token = { kind: "late-answer", milliseconds: (UNSEEN + 7) * 1000, times: 1 };
  await expect.poll(() => site.server.stats.attempts, { timeout: 10_000 }).toBe(1);
  const heldBy = () => holder!.run(async () => (await navigator.locks.query()).held?.map(({ clientId }) => clientId));
  const held = await heldBy();
  expect(held).toHaveLength(1);
  return { site, holder: holder!, heldBy, held };
}

describe("R57 a prerendered page whose access token has expired, with calls that wait", () => {
  it("renews nothing, and on activation renews once for all that waited", { timeout: 90_000 }, async (context) => {
    const { site, tab } = await expired(context);
    const before = site.server.stats.attempts;

    const address = site.address("?prerendered");
    const page = await tab.prerender(address);
    await call(page);
    await seconds(UNSEEN);
    expect(await seen(page)).toEqual(waiting);
    expect(site.server.stats.attempts).toBe(before);
    await tab.goto(address);

    const activated = { prerendering: false, status: "signed-in", sent: 1, calls: { token: "a token", response: 200 } };
    await expect.poll(() => seen(page)).toEqual(activated);
    expect(await tab.run(() => location.search), "the page in the tab is the one that was prerendered").toBe("?prerendered");
    await seconds(2);
    expect(site.server.stats).toMatchObject({ attempts: before + 1, reused: 0, revoked: 0, apiUnauthorized: 0 });
  });

  it("ends without having sent anything, when the user goes elsewhere", { timeout: 90_000 }, async (context) => {
    const { site, tab } = await expired(context);
    const before = site.server.stats.attempts;

    const page = await tab.prerender(site.address("?prerendered"));
    await call(page);
    await seconds(UNSEEN);
    expect(await seen(page)).toEqual(waiting);
    await tab.goto(`${site.elsewhere}?for=good`);
    await expect.poll(() => seen(page).catch(() => "gone")).toBe("gone");

    await seconds(2);
    expect(site.server.stats).toMatchObject({ attempts: before, reused: 0, revoked: 0, apiUnauthorized: 0 });
  });

  it("steals no lock from the tab that prerenders it, whose refresh is under way", { timeout: 90_000 }, async (context) => {
    const { site, holder, heldBy, held } = await refreshing(context);

    const page = await holder.prerender(site.address("?prerendered", { session: patient }));
    await call(page);
    await seconds(UNSEEN);

    expect(await seen(page)).toEqual(waiting);
    expect(await heldBy()).toEqual(held);
    await expect.poll(() => holder.run(() => app.heard)).toEqual(["signed-in", "refreshed"]);
    expect(site.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0, revoked: 0 });
    expect(await seen(page)).toMatchObject({ prerendering: true, sent: 0 });
  });

  it("steals no lock on activation, for which it has not waited yet", { timeout: 90_000 }, async (context) => {
    const { site, holder, heldBy, held } = await refreshing(context);
    const opener = (await browser.current.newTab(`${site.elsewhere}?for=good`)) as PrerenderingTab;

    const address = site.address("?prerendered", { session: patient });
    const page = await opener.prerender(address);
    await call(page);
    await seconds(UNSEEN);
    await opener.goto(address);
    await expect.poll(() => seen(page)).toMatchObject({ prerendering: false, sent: 0 });
    await seconds(1);
    expect(await heldBy()).toEqual(held);

    const calls = { token: "a token", response: 200 };
    await expect.poll(() => seen(page)).toEqual({ prerendering: false, status: "signed-in", sent: 0, calls });
    expect(await holder.run(() => app.heard)).toEqual(["signed-in", "refreshed"]);
    expect(site.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0, revoked: 0 });
    await opener.close();
  });
});
