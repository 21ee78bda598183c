import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startDemo } from "../../demo/start.js";
import { breakIt, click, lanesOf, launch, lines, signIn, status, text, type Visitor, visit, waits } from "./demo-page.js";
import type { ChromiumBrowser } from "./harness/chromium.js";

type Demo = Awaited<ReturnType<typeof startDemo>>;

// Every button in both homes is pressed in `long/demo-buttons.test.ts`; how it looks is in `long/demo-looks.test.ts`.
let demo: Demo;
let browser: ChromiumBrowser;
let visitor: Visitor;

beforeAll(async () => {
  browser = await launch();
  demo = await startDemo({ port: 0 });
});
afterAll(async () => {
  await browser.close();
  await demo.close();
});
beforeEach(async () => {
  visitor = await visit(browser);
  demo.server.revokeAll();
  demo.server.faults.token = null;
  Object.assign(demo.server.settings, { accessTokenSeconds: 10, reuseGraceSeconds: 0 });
  demo.server.stats.reset();
});
afterEach(async () => {
  const { complaints } = visitor;
  await visitor.leave();
  expect(complaints, "what the pages threw").toEqual([]);
});

/** Nothing happens there by itself, but for the refreshes. */
const quiet = () => visitor.open(`${demo.url}?manual`);
const reads = (page: Page, wanted: string) => expect.poll(() => status(page), waits).toBe(wanted);

describe("the first ten seconds", () => {
  it("R1 shows a token being renewed by one tab and adopted by the others, before anything is pressed", async () => {
    const page = await visitor.open(demo.url);
    await reads(page, "Signed in as Ada Lovelace");
    await expect.poll(() => lanesOf(page), waits).toEqual(["Tab 1", "Tab 2", "Tab 3"]);
    // The first is due at any moment, perhaps before there are others to adopt it.
    const adoptedByTwo = async () => {
      const events = await lines(page, "events");
      const asked = events.flatMap((line) => /^Tab \d asked, and got (token \d+)$/.exec(line)?.[1] ?? []);
      return asked.some((token) => events.filter((line) => line.endsWith(` adopted ${token}`)).length === 2);
    };
    await expect.poll(adoptedByTwo, { timeout: 20_000 }).toBe(true);
    await expect.poll(async () => Number(await text(page, "refreshes")), waits).toBeGreaterThan(0);
    expect(await text(page, "reused")).toBe("0");
    const { attempts, refreshes, reused, revoked } = demo.server.stats;
    expect({ attempts, reused, revoked }).toEqual({ attempts: refreshes, reused: 0, revoked: 0 });
    expect(await page.locator("#timeline .token").count(), "bars in the timeline").toBeGreaterThan(5);
  });
});

describe("tabs", () => {
  it("opens five real tabs, and shows the lanes of all in each of them", async () => {
    const page = await quiet();
    await signIn(page);
    await click(page, "Open 5 more tabs");
    await expect.poll(() => visitor.profile.pages().length, waits).toBe(6);
    for (const tab of visitor.profile.pages()) {
      // At first there may be stand-ins, for tabs that are slow to come.
      await expect.poll(() => lanesOf(tab), { timeout: 30_000 }).toHaveLength(6);
      await reads(tab, "Signed in as Ada Lovelace");
    }
    expect(await page.locator("iframe").count()).toBe(0);
    expect(demo.server.stats).toMatchObject({ reused: 0 });
  });

  it("embeds them where pop-ups are blocked, and says so", async () => {
    await visitor.profile.addInitScript(() => {
      window.open = () => null;
    });
    const page = await quiet();
    await signIn(page);
    await click(page, "Open 5 more tabs");
    await expect.poll(() => text(page, "opened"), waits).toBe("The browser blocked 5 of them: they are embedded below instead.");
    await expect.poll(() => lanesOf(page), waits).toHaveLength(6);
    const frame = page.frames().at(-1)!;
    await expect.poll(() => frame.locator("#status").textContent(), waits).toBe("Signed in as Ada Lovelace");
    expect(await frame.locator("#lanes li").count()).toBe(6);
  });

  it("marks the lane of a tab that was closed, and then takes it away", async () => {
    const page = await quiet();
    const other = await quiet();
    await expect.poll(() => lanesOf(page), waits).toEqual(["Tab 1", "Tab 2"]);
    await other.close();
    await expect.poll(() => lanesOf(page), waits).toEqual(["Tab 1"]);
    await expect.poll(() => page.locator("#lanes li").count(), { timeout: 25_000 }).toBe(1);
  });

  it("R38 signs out and changes the user in every tab", async () => {
    const page = await quiet();
    const other = await quiet();
    await signIn(page);
    await reads(other, "Signed in as Ada Lovelace");
    await click(other, "Sign in as someone else");
    await reads(page, "Signed in as Grace Hopper");
    await expect.poll(() => lines(page, "events"), waits).toContain("Tab 1: another user, Ada Lovelace → Grace Hopper");
    await click(page, "Sign out");
    for (const tab of [page, other]) {
      await reads(tab, "Signed out");
      expect(await text(tab, "explanation")).toBe("You signed out, here or in another tab.");
    }
  });
});

describe("breaking it", () => {
  it("R18 says of a 503 what should happen, and then what did", async () => {
    const page = await quiet();
    await signIn(page);
    const { should, did, tone } = await breakIt(page, "down");
    expect(should).toContain("Everybody stays signed in");
    expect({ did, tone }).toMatchObject({ tone: "good", did: expect.stringMatching(/^As it should: \d attempts? failed, 1 tab stayed/) });
    expect(demo.server.stats).toMatchObject({ reused: 0, revoked: 0 });
  });

  it("does nothing while another is running, or when nobody is signed in", async () => {
    const page = await quiet();
    await page.locator("#break-down").click({ force: true });
    expect(await text(page, "did-down")).toBe("");
    await signIn(page);
    demo.server.faults.token = { kind: "hang", times: 1 };
    await page.locator("#break-offline").click();
    await page.locator("#break-revoke").click({ force: true });
    expect(await text(page, "did-revoke")).toBe("");
    expect(demo.server.stats.revoked).toBe(0);
  });
});

describe("the set-up", () => {
  it("copies the code that is shown", async () => {
    await visitor.profile.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await quiet();
    await click(page, "Copy");
    await expect.poll(() => text(page, "copied"), waits).toBe("Copied.");
    const code = await page.evaluate(() => navigator.clipboard.readText());
    expect(code).toBe(await text(page, "code"));
    expect(code).toContain(`tokenEndpoint: "${demo.server.tokenEndpoint}"`);
  });

  it("sets how long a token lives, from 5 s to 5 min, for all tabs and at once", async () => {
    const page = await quiet();
    await signIn(page);
    const lifetime = page.getByLabel("A token lives");
    await lifetime.press("Home");
    await expect.poll(() => demo.server.settings.accessTokenSeconds, waits).toBe(5);
    await lifetime.press("End");
    await expect.poll(() => demo.server.settings.accessTokenSeconds, waits).toBe(300);
    await expect.poll(() => text(page, "lifetime-value")).toBe("5 min");
    await expect.poll(async () => Number.parseFloat(await text(page, "expires-in")), waits).toBeGreaterThan(200);
  });

  it("keeps to what was chosen after a reload, and in the other tabs", async () => {
    const page = await quiet();
    const other = await quiet();
    await page.locator("#grace").selectOption("10");
    await expect.poll(() => other.locator("#grace").inputValue(), waits).toBe("10");
    await expect.poll(() => text(other, "code"), waits).toContain("reuseGrace: 10_000");
    await page.reload();
    expect(await page.locator("#grace").inputValue()).toBe("10");
  });

  it("signs in with a code and PKCE at the server’s own page, and comes back quietly when that is cancelled", async () => {
    const page = await visitor.open(`${demo.url}?manual`);
    await page.locator("#authorize").click();
    await click(page, "Cancel");
    await page.waitForURL(demo.url);
    expect(await text(page, "explanation")).not.toMatch(/fail/i);
  });
});

describe("npm run demo", () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  it("prints the address of a page that works at once, and ends at Ctrl-C", async () => {
    child = spawn(process.execPath, ["demo/start.js"], { stdio: ["ignore", "pipe", "inherit"] });
    let address: string | undefined;
    for await (const line of createInterface(child.stdout!)) {
      address = /http:\S+/.exec(line)?.[0];
      if (address) break;
    }
    const page = await visitor.open(`${address}?manual`);
    await signIn(page, "Grace");
    // The page has loaded its last part.
    await expect.poll(() => page.locator("#authorize").getAttribute("hidden"), waits).toBeNull();
    const ended = once(child, "exit");
    child.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    await expect.poll(() => page.locator("#server-gone").isVisible(), waits).toBe(true);
  });
});
