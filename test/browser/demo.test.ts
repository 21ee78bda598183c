import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startDemo } from "../../demo/start.js";
import { click, lines, signIn, status, waits } from "./demo-page.js";
import { type ChromiumBrowser, launch } from "./harness/chromium.js";

type Demo = Awaited<ReturnType<typeof startDemo>>;

// Long-lived tokens, so that no refresh comes of itself while a button is tried: the first after a sign-in is due at any moment of its life.
const MONTH = 30 * 24 * 60 * 60;

let demo: Demo;
let browser: ChromiumBrowser;
let profile: BrowserContext;
let complaints: string[];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  const { page } = await browser.newTab("about:blank");
  profile = await page.context().browser()!.newContext();
  await page.close();
  complaints = [];
  demo.server.revokeAll();
  demo.server.faults.token = null;
  demo.server.stats.reset();
});
afterEach(async () => {
  await profile.close();
  expect(complaints, "what the pages threw").toEqual([]);
});

async function open(url = demo.url): Promise<Page> {
  const page = await profile.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  return page;
}

async function twoTabs(): Promise<[Page, Page]> {
  const first = await open();
  await signIn(first);
  const second = await open();
  await expect.poll(() => status(second), waits).toBe("Signed in as Ada Lovelace");
  return [first, second];
}

describe("the demo's buttons", () => {
  beforeAll(async () => {
    demo = await startDemo({ port: 0, accessTokenSeconds: MONTH });
  });
  afterAll(() => demo.close());

  it("signs in with one click on the sign-in page, and a second tab is signed in without a refresh", async () => {
    const [first, second] = await twoTabs();
    await expect.poll(() => first.locator("#serial").textContent(), waits).toMatch(/^number \d+$/);
    expect(new URL(first.url()).searchParams.has("code"), "a code in the address").toBe(false);
    await expect.poll(() => first.locator("#tab").textContent(), waits).toBe("Tab 1");
    await expect.poll(() => second.locator("#tab").textContent(), waits).toBe("Tab 2");
    await expect.poll(() => first.locator("#tabs-open").textContent(), waits).toBe("2");
    await expect.poll(() => lines(second, "requests"), waits).toContainEqual(expect.stringMatching(/^GET \/api\/me → 200/));
    expect(demo.server.stats).toMatchObject({ attempts: 0, apiUnauthorized: 0 });
  });

  it("opens another tab from its link", async () => {
    const page = await open();
    await signIn(page);
    const opened = page.context().waitForEvent("page");
    await page.getByRole("link", { name: "Open another tab" }).click();
    const other = await opened;
    await expect.poll(() => status(other), waits).toBe("Signed in as Ada Lovelace");
  });

  it("comes back quietly when the sign-in is cancelled", async () => {
    const page = await open();
    await click(page, "Sign in");
    await click(page, "Cancel");
    await expect.poll(() => status(page), waits).toBe("Signed out");
    expect(await page.locator("#explanation").textContent()).not.toMatch(/fail/i);
    expect(page.url()).toBe(demo.url);
  });

  it("says why when the sign-in fails", async () => {
    const page = await open();
    demo.server.faults.token = { kind: "down" };
    await click(page, "Sign in");
    await click(page, "Sign in as Ada Lovelace");
    await expect.poll(() => page.locator("#explanation").textContent(), waits).toBe("The sign-in failed: the token endpoint answered 503.");
    expect(await status(page)).toBe("Signed out");
  });

  it("R1 refreshes once for both tabs, and says in each who did it", async () => {
    const [first, second] = await twoTabs();
    await click(first, "Refresh now");
    await expect.poll(() => lines(first, "events"), waits).toContain("New token: this tab refreshed");
    await expect.poll(() => lines(second, "events"), waits).toContain("New token, from another tab");
    await expect.poll(() => lines(first, "requests"), waits).toContainEqual(expect.stringMatching(/^POST \/oauth\/token → 200/));
    const serial = await first.locator("#serial").textContent();
    await expect.poll(() => second.locator("#serial").textContent(), waits).toBe(serial);
    await expect.poll(() => second.locator("#refreshes").textContent(), waits).toBe("1");
    expect(await second.locator("#reused").textContent()).toBe("0");
    expect(demo.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
  });

  it("R27 shows the 401, the refresh and the resend after the access token was expired", async () => {
    const page = await open();
    await signIn(page);
    await page.getByLabel("Call it every 5 seconds").uncheck();
    await click(page, "Expire the access token");
    await expect.poll(() => demo.server.stats.events.map((event) => event.kind), waits).toContain("access tokens expired");
    await click(page, "Call the API");
    const sent = async () => (await lines(page, "requests")).map((line) => line.replace(/,.*/, ""));
    await expect.poll(async () => (await sent()).includes("GET /api/me → 401"), waits).toBe(true);
    await expect.poll(async () => (await sent()).includes("POST /oauth/token → 200"), waits).toBe(true);
    await expect.poll(async () => (await sent())[0], waits).toBe("GET /api/me → 200");
    expect(await status(page)).toBe("Signed in as Ada Lovelace");
    expect(demo.server.stats).toMatchObject({ refreshes: 1, apiUnauthorized: 1 });
  });

  it("R18 stays signed in while the token endpoint is down, and says so in every tab", async () => {
    const [first, second] = await twoTabs();
    await first.getByRole("radio", { name: "is down" }).check();
    await expect.poll(() => second.getByRole("radio", { name: "is down" }).isChecked(), waits).toBe(true);
    await click(first, "Refresh now");
    await expect.poll(() => lines(first, "events"), waits).toContainEqual(expect.stringMatching(/^Refresh failed \(server 503\), try 1/));
    for (const page of [first, second]) {
      await expect.poll(() => page.locator("#explanation").textContent(), waits).toBe("The last refresh failed; still trying.");
      expect(await status(page)).toBe("Signed in as Ada Lovelace");
    }
    await first.getByRole("radio", { name: "works" }).check();
    await expect.poll(() => demo.server.faults.token).toBeNull();
    await click(first, "Refresh now");
    for (const page of [first, second]) {
      await expect.poll(() => page.locator("#explanation").textContent(), waits).toContain("renews itself");
    }
  });

  it("R21 keeps to Retry-After when the token endpoint says 429", async () => {
    const page = await open();
    await signIn(page);
    await page.getByRole("radio", { name: "says 429" }).check();
    await expect.poll(() => demo.server.faults.token?.kind).toBe("throttled");
    await click(page, "Refresh now");
    await expect
      .poll(() => lines(page, "events"), waits)
      .toContainEqual(expect.stringMatching(/^Refresh failed \(throttled 429\), try 1, next in (7\.9|8\.\d)\u00a0s$/));
    expect(await status(page)).toBe("Signed in as Ada Lovelace");
  });

  it("waits for a slow token endpoint, in the other tab too, with one request", async () => {
    const [first, second] = await twoTabs();
    await first.getByRole("radio", { name: "is slow" }).check();
    await expect.poll(() => demo.server.faults.token?.kind).toBe("slow");
    await click(first, "Refresh now");
    await click(second, "Refresh now");
    await expect.poll(() => demo.server.stats.refreshes, waits).toBe(1);
    await expect.poll(() => lines(first, "events"), waits).toContainEqual(expect.stringContaining("New token"));
    await expect.poll(() => lines(second, "events"), waits).toContainEqual(expect.stringContaining("New token"));
    expect(demo.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
  });

  it("R19 signs every tab out when the session was revoked", async () => {
    const [first, second] = await twoTabs();
    await click(first, "Revoke the session");
    await expect.poll(() => demo.server.stats.revoked, waits).toBe(1);
    await click(first, "Call the API");
    for (const page of [first, second]) {
      await expect.poll(() => status(page), waits).toBe("Signed out");
      expect(await page.locator("#explanation").textContent()).toBe("The server refused to renew the session.");
    }
  });

  it("R38 signs out and changes the user in every tab", async () => {
    const [first, second] = await twoTabs();
    await signIn(second, "Grace Hopper", "Sign in as someone else");
    await expect.poll(() => status(first), waits).toBe("Signed in as Grace Hopper");
    await expect.poll(() => lines(first, "events"), waits).toContain("Another user: Ada Lovelace → Grace Hopper");
    await click(first, "Sign out");
    for (const page of [first, second]) await expect.poll(() => status(page), waits).toBe("Signed out");
    expect(await second.locator("#explanation").textContent()).toBe("You signed out, here or in another tab.");
    await expect.poll(() => demo.server.stats.revoked, waits).toBe(1);
  });

  it("leads from the loopback address to the name under which a sign-in finds its way back", async () => {
    const page = await open(demo.url.replace("localhost", "127.0.0.1"));
    expect(page.url()).toBe(demo.url);
    await signIn(page);
  });

  it("works from the keyboard and fits a narrow window", async () => {
    const page = await open();
    await page.setViewportSize({ width: 320, height: 640 });
    await page.getByRole("button", { name: "Sign in", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/sign-in/*");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => status(page), waits).toBe("Signed in as Ada Lovelace");
    await page.getByRole("radio", { name: "works" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => demo.server.faults.token?.kind, waits).toBe("down");
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, "pixels to scroll sideways").toBe(0);
  });
});

describe("the demo, left alone", () => {
  beforeAll(async () => {
    demo = await startDemo({ port: 0, accessTokenSeconds: 3 });
  });
  afterAll(() => demo.close());

  it("R1 stays signed in for several lifetimes: each refresh was made by one tab and adopted by the other", async () => {
    const pages = await twoTabs();
    await expect.poll(() => demo.server.stats.refreshes, { timeout: 30_000 }).toBeGreaterThan(2);
    for (const page of pages) expect(await status(page)).toBe("Signed in as Ada Lovelace");
    const { attempts, refreshes, reused, apiUnauthorized } = demo.server.stats;
    expect({ attempts, reused, apiUnauthorized }).toEqual({ attempts: refreshes, reused: 0, apiUnauthorized: 0 });
    const count = async (text: string) =>
      (await Promise.all(pages.map((page) => lines(page, "events")))).flat().filter((line) => line === text).length;
    await expect.poll(() => count("New token: this tab refreshed"), waits).toBeGreaterThanOrEqual(refreshes);
    expect(await count("New token, from another tab")).toBeGreaterThan(0);
  });

  it("R18 recovers by itself when the token endpoint is back", async () => {
    const page = await open();
    await signIn(page);
    await page.getByRole("radio", { name: "is down" }).check();
    await expect.poll(() => lines(page, "events"), waits).toContainEqual(expect.stringContaining("Refresh failed (server 503)"));
    await expect.poll(() => lines(page, "requests"), waits).toContainEqual(expect.stringMatching(/^GET \/api\/me → 401/));
    await page.getByRole("radio", { name: "works" }).check();
    await expect.poll(async () => (await lines(page, "events"))[0], waits).toBe("New token: this tab refreshed");
    expect(await status(page)).toBe("Signed in as Ada Lovelace");
  });
});

describe("npm run demo", () => {
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    demo = await startDemo();
  });
  afterAll(() => demo.close());
  afterEach(() => child?.kill("SIGKILL"));

  it("prints the address of a page that works at once, on another port when the usual one is taken, and ends at Ctrl-C", async () => {
    child = spawn(process.execPath, ["demo/start.js"], { stdio: ["ignore", "pipe", "inherit"] });
    let address: string | undefined;
    for await (const line of createInterface(child.stdout!)) {
      address = /http:\S+/.exec(line)?.[0];
      if (address) break;
    }
    expect(address).not.toBe(demo.url);
    const page = await open(address);
    await signIn(page, "Grace Hopper");
    const ended = once(child, "exit");
    child.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
  });
});
