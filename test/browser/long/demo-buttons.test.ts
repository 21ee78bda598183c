import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ServerState } from "../../../demo/page/server.js";
import {
  breakIt,
  click,
  type Home,
  homes,
  lanesOf,
  launch,
  lines,
  set,
  signIn,
  status,
  text,
  truth,
  type Visitor,
  visit,
  waits,
} from "../demo-page.js";
import type { ChromiumBrowser } from "../harness/chromium.js";

let browser: ChromiumBrowser;
let home: Home;
let visitor: Visitor;
let page: Page;
let before: ServerState["stats"];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** What the server has counted since the test began. */
async function counted() {
  const { stats } = await truth(page);
  return { reused: stats.reused - before.reused, revoked: stats.revoked - before.revoked, refreshes: stats.refreshes - before.refreshes };
}

/** Who fails shows what the page said. */
async function outcomeOf(id: string) {
  const outcome = await breakIt(page, id);
  return expect(outcome, `“${outcome.did}”`);
}

/** The page's next such command comes to the server only after the token was renewed on schedule. */
const holdUntilRenewed = (command: string) =>
  page.route(
    `**/control/${command}`,
    async (route) => {
      const { refreshes } = await counted();
      await expect.poll(async () => (await counted()).refreshes, waits).toBeGreaterThan(refreshes);
      await route.continue();
    },
    { times: 1 },
  );

const signedIn = (user = "Ada Lovelace") => expect.poll(() => status(page), waits).toBe(`Signed in as ${user}`);
const unharmed = async () => {
  await signedIn();
  expect(await counted()).toMatchObject({ reused: 0, revoked: 0 });
};

describe.each(Object.entries(homes))("every button, %s", (name, start) => {
  beforeAll(async () => {
    home = await start();
  });
  afterAll(() => home.close());
  beforeEach(async () => {
    visitor = await visit(browser);
    page = await visitor.open(home.url);
    await signedIn();
    await expect.poll(() => lanesOf(page), waits).toHaveLength(3);
    before = (await truth(page)).stats;
  });
  afterEach(async () => {
    const { complaints } = visitor;
    await visitor.leave();
    expect(complaints, "what the pages threw").toEqual([]);
  });

  it("R18 503: everybody stays signed in, and a new token comes when the server is back", async () => {
    (await outcomeOf("down")).toMatchObject({ tone: "good", did: expect.stringMatching(/attempts? failed, 3 tabs stayed/) });
    expect(await lines(page, "events")).toContainEqual(expect.stringMatching(/refresh failed \(server 503\), next attempt in/));
    await unharmed();
  });

  it("R21 429: no tab asks sooner than the server said", async () => {
    (await outcomeOf("throttled")).toMatchObject({ tone: "good", did: expect.stringMatching(/kept still for (4\.\d|[5-9])/) });
    await unharmed();
  });

  it("R22 hanging: the refresh is given up, and the next attempt succeeds", async () => {
    (await outcomeOf("hang")).toMatchObject({ tone: "good", did: expect.stringContaining("Given up after 4 s") });
    await unharmed();
  });

  it("R23 an answer lost after rotating: the strict server ends the session, and the page says why", async () => {
    (await outcomeOf("lost")).toMatchObject({ tone: "good", did: expect.stringContaining("possibly a lost rotation") });
    expect(await status(page)).toBe("Signed out");
    // As soon as the page has asked the server what it saw.
    await expect.poll(() => text(page, "explanation"), waits).toContain("ended the session");
    expect(await counted()).toMatchObject({ reused: 1, revoked: 1 });
  });

  it("R23 an answer lost after rotating: with a grace period the session goes on", async () => {
    await page.locator("#grace").selectOption("10");
    // The page begins a new session with it.
    await expect.poll(() => text(page, "code"), waits).toContain("reuseGrace: 10_000");
    await signedIn();
    (await outcomeOf("lost")).toMatchObject({ tone: "good", did: expect.stringContaining("the session went on") });
    await unharmed();
    await page.locator("#grace").selectOption("0");
    await expect.poll(async () => (await truth(page)).settings.reuseGraceSeconds, waits).toBe(0);
  });

  it("R27 a 401: one refresh for all tabs, and the caller sees a 200", async () => {
    (await outcomeOf("once")).toMatchObject({
      tone: "good",
      did: expect.stringMatching(/401, then 200 .* 1 refresh for 3 tabs/),
    });
    await expect.poll(() => lines(page, "requests"), waits).toContainEqual(expect.stringMatching(/^GET \/api\/me → 401, then 200.*resent/));
    await unharmed();
  });

  // In the static home no request leaves the page, so that none can be held up.
  if (name === "real server") {
    it("R21 429, with the token renewed on schedule just before: kept still after the failure, not after that token", async () => {
      await holdUntilRenewed("faults");
      (await outcomeOf("throttled")).toMatchObject({ tone: "good", did: expect.stringMatching(/kept still for (4\.\d|[5-9])/) });
      await unharmed();
    });

    it("a tab that waited for another one's refresh is not taken for one that still wants its own", async () => {
      const other = await visitor.open(home.url);
      await expect.poll(() => lanesOf(page), waits).toHaveLength(4);
      const { refreshes } = await counted();
      await set(page, "faults", { token: { kind: "late-answer", milliseconds: 1500, times: 1 } });
      for (const tab of [page, other]) await click(tab, "Refresh now");
      await expect.poll(async () => (await counted()).refreshes, waits).toBeGreaterThan(refreshes);
      await expect.poll(() => truth(page), waits).toMatchObject({ faults: { token: null } });
      const broken = page.waitForRequest("**/control/faults", waits).then(() => Date.now());
      const begun = Date.now();
      (await outcomeOf("throttled")).toMatchObject({ tone: "good" });
      expect((await broken) - begun, "milliseconds until it was broken, of a token that was new").toBeLessThan(6000);
      await unharmed();
    });

    it("R27 R48 a 401, with the token renewed on schedule just before: renewed once more after the rest of the floor", async () => {
      await holdUntilRenewed("expire-access-tokens");
      (await outcomeOf("once")).toMatchObject({
        tone: "good",
        did: expect.stringMatching(/401, then 200 .* (1 refresh|2 refreshes) for 3 tabs/),
      });
      await unharmed();
    });
  }

  it("R27 a 401 for ever: each call is sent twice at most, and nobody is signed out", async () => {
    (await outcomeOf("always")).toMatchObject({ tone: "good", did: expect.stringContaining("Still signed in") });
    await unharmed();
  });

  it("R18 offline: nobody is signed out, and it renews when the network is back", async () => {
    (await outcomeOf("offline")).toMatchObject({ tone: "good", did: expect.stringContaining("3 tabs stayed signed in") });
    await expect.poll(() => lines(page, "events"), waits).toContainEqual(expect.stringMatching(/^Tab 2 was offline for \d/));
    await unharmed();
  });

  it("R16 a clock an hour ahead: no loop, and nobody is signed out", async () => {
    (await outcomeOf("clock")).toMatchObject({ tone: "good", did: expect.stringContaining("0 tokens reused") });
    await unharmed();
    expect((await counted()).refreshes, "refreshes in 9 s, of tokens that live 10 s").toBeLessThanOrEqual(4);
  });

  it("R16 a clock an hour ahead, with tokens that are bound to a key: nobody is signed out", async () => {
    await page.getByText("DPoP", { exact: true }).click();
    await expect.poll(() => text(page, "code"), waits).toContain("dpop: proofs");
    await signedIn();
    (await outcomeOf("clock")).toMatchObject({ tone: "good", did: expect.stringContaining("0 tokens reused") });
    await unharmed();
  });

  it("a main thread that is blocked for 10 s: the first call after it has a fresh token", async () => {
    (await outcomeOf("blocked")).toMatchObject({ tone: "good", did: expect.stringContaining("got 200") });
    await expect.poll(() => lines(page, "events"), waits).toContainEqual(expect.stringMatching(/^Tab 1 was blocked for/));
    await unharmed();
    const said = page.locator(".card", { has: page.locator("#break-blocked") }).locator(".in-page");
    expect(await said.count(), "says that its server stands still, too").toBe(name === "static" ? 1 : 0);
  });

  it("R19 revoked at the server: every tab is signed out with the reason", async () => {
    (await outcomeOf("revoke")).toMatchObject({ tone: "good", did: expect.stringMatching(/3 tabs signed out .* “rejected”/) });
    expect(await status(page)).toBe("Signed out");
    // Those of the tests before are revoked as well: they are the same user's.
    const { reused, revoked } = await counted();
    expect([reused, revoked > 0]).toEqual([0, true]);
    await signIn(page, "Grace");
  });

  it("a stolen refresh token: the session is revoked for the thief as well, and the page says why", async () => {
    (await outcomeOf("steal")).toMatchObject({
      tone: "good",
      did: expect.stringMatching(/reused: 1.*3 tabs signed out.*gets 401/),
    });
    await expect.poll(() => text(page, "explanation"), waits).toContain("It cannot tell a thief from the owner");
    expect(await counted()).toMatchObject({ reused: 1, revoked: 1 });
  });

  it("script that copies the tokens: they work elsewhere, and nobody is signed out", async () => {
    (await outcomeOf("copy")).toMatchObject({
      tone: "good",
      did: expect.stringMatching(/the API: accepted.*the token endpoint: accepted/),
    });
    await unharmed();
  });

  it("R38 somebody else signs in in another tab: all tabs are theirs", async () => {
    (await outcomeOf("other")).toMatchObject({ tone: "good", did: expect.stringMatching(/Grace Hopper; 3 tabs heard/) });
    await signedIn("Grace Hopper");
    expect(await counted()).toMatchObject({ reused: 0 });
  });

  it("the comparison: without the lock the same tabs lose the session to the same server", async () => {
    await page.locator("#compare-switch").click();
    await expect.poll(() => page.locator("#compare").getAttribute("data-state"), { timeout: 50_000 }).toBe("revoked");
    expect(Number(await text(page, "without-reused")), "tokens reused").toBeGreaterThan(0);
    expect(await text(page, "with-reused")).toBe("0");
    await page.locator("#compare-switch").click();
    await signedIn();
  });
});
