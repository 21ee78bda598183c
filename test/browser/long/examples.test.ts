import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startExample } from "../../../examples/start.js";
import { entries } from "../../package/dist.js";
import { expectNoSecret } from "../../support/secrets.js";
import { launch, type Visitor, visit, waits } from "../demo-page.js";
import type { ChromiumBrowser } from "../harness/chromium.js";
import { seconds } from "../harness/scenario.js";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

declare global {
  /** In the page: the text of everything that was ever put into it, from before its first script on. */
  var seen: string[];
}

let browser: ChromiumBrowser;
let example: Awaited<ReturnType<typeof startExample>>;
let visitor: Visitor;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** In the page. */
function watch(): void {
  globalThis.seen = [];
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) for (const node of [target, ...addedNodes]) seen.push(node.textContent ?? "");
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** In a page of which the driver loses sight when it comes back from the back/forward cache: its heading, for another tab to read. */
function report(): void {
  setInterval(() => localStorage.setItem("reported", document.querySelector("h1")?.textContent ?? ""), 50);
}

const open = (path = "") => visitor.open(example.url + path);
const pathOf = (page: Page) => new URL(page.url()).pathname + new URL(page.url()).search;
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const follow = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click();
/** The page's name, once it is there. */
const shows = (page: Page, heading: string) => expect.poll(() => page.locator("h1").allTextContents(), waits).toEqual([heading]);
const notes = (page: Page) => page.locator("li").allTextContents();
const listed = (page: Page, wanted: string[]) => expect.poll(() => notes(page), waits).toEqual(wanted);
const everSeen = (page: Page) => page.evaluate(() => seen.join("\n"));
/** Which of the words were ever in the page. */
const seenOf = async (page: Page, words: string[]) => {
  const text = await everSeen(page);
  return words.filter((word) => text.includes(word));
};
const LOGIN = ["Your notes are yours alone."];
const PRIVATE = ["New note", "Ada"];

async function signIn(page: Page, user = "Ada Lovelace"): Promise<void> {
  await press(page, "Sign in");
  await press(page, `Sign in as ${user}`);
  await expect.poll(() => page.locator("header").textContent(), waits).toContain(user);
}

async function add(page: Page, note: string): Promise<void> {
  await page.getByLabel("New note").fill(note);
  await press(page, "Add");
  await expect.poll(() => page.getByLabel("New note").inputValue(), waits).toBe("");
}

describe.each(["react", "vue"] as const)("the example app in %s", (name) => {
  beforeAll(async () => {
    expect(entries.length, "what was built").toBeGreaterThan(0);
    example = await startExample(name, { port: 0 });
  });
  afterAll(() => example.close());
  beforeEach(async () => {
    visitor = await visit(browser);
    await visitor.profile.addInitScript(watch);
    // The first token of a session may be due at any moment of its life: a short one would be renewed in the midst of a test.
    example.server.settings.accessTokenSeconds = 3600;
    example.server.stats.reset();
  });
  afterEach(async () => {
    const { complaints } = visitor;
    await visitor.leave();
    expect(complaints, "what the pages threw").toEqual([]);
  });

  it("signs in at the server's page, goes on to where the user was going, and takes the other tab along", async () => {
    const warnings: string[] = [];
    visitor.profile.on("console", (message) => /warning|error/.test(message.type()) && warnings.push(message.text()));
    const page = await open("account?from=a-friend");
    const other = await open();
    for (const tab of [page, other]) await shows(tab, "Sign in");
    await signIn(page);
    await shows(page, "Account");
    expect(pathOf(page)).toBe("/account?from=a-friend");
    await shows(other, "Your notes");
    expect(pathOf(other)).toBe("/");
    expect(await seenOf(other, LOGIN), "it was not loaded anew").toEqual(LOGIN);
    expect(example.server.stats).toMatchObject({ attempts: 0, apiUnauthorized: 0 });
    expect(warnings).toEqual([]);
  });

  it("says so when a sign-in fails, and nothing when it is cancelled", async () => {
    const page = await open();
    await press(page, "Sign in");
    await press(page, "Cancel");
    await shows(page, "Sign in");
    expect(await page.getByRole("alert").count()).toBe(0);
    await press(page, "Sign in");
    example.server.faults.token = { kind: "down", times: 1 };
    await press(page, "Sign in as Ada Lovelace");
    await expect.poll(() => page.getByRole("alert").allTextContents(), waits).toEqual(["That did not work. Please try again."]);
    await signIn(page);
    await shows(page, "Your notes");
  });

  it("R27 a POST survives a token that the API refuses, and no token is ever to be seen", async () => {
    const tokens: string[] = [];
    const said: unknown[] = [];
    const calls = new Set<object>();
    visitor.profile.on("request", (request) => request.url().includes("/api/") && calls.add(request));
    for (const over of ["requestfinished", "requestfailed"] as const)
      visitor.profile.on(over as "request", (request) => calls.delete(request));
    visitor.profile.on("console", (message) => said.push(message.text()));
    visitor.profile.on("request", (request) => said.push(request.url()));
    visitor.profile.on("response", async (response) => {
      if (!response.url().endsWith("/oauth/token") || !response.ok()) return;
      const { access_token, refresh_token, id_token } = await response.json();
      tokens.push(access_token, refresh_token, id_token);
    });
    const page = await open();
    await signIn(page);
    await add(page, "One");
    await listed(page, ["One"]);
    await expect.poll(() => calls.size, waits).toBe(0);
    example.server.expireAccessTokens();
    await add(page, "Two");
    await listed(page, ["One", "Two"]);
    const { refreshes, attempts, apiUnauthorized, reused } = example.server.stats;
    expect({ refreshes, attempts, apiUnauthorized, reused }).toEqual({ refreshes: 1, attempts: 1, apiUnauthorized: 1, reused: 0 });
    expect(await page.getByRole("alert").count()).toBe(0);

    await follow(page, "Account");
    await shows(page, "Account");
    const kept = await page.evaluate(() => [document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }, history.state]);
    expect(tokens).toHaveLength(6);
    expectNoSecret(tokens, [said, kept, await everSeen(page)], "the page, its console or an address");
  });

  it("R1 loads the list anew past the token's expiry, in two tabs, with one refresh and no 401", async () => {
    example.server.settings.accessTokenSeconds = 5;
    const page = await open();
    await signIn(page);
    const expired = seconds(5.5);
    example.server.settings.accessTokenSeconds = 60;
    await shows(page, "Your notes");
    // With it, the list is loaded: the tests before may have left some.
    await add(page, "Before expiry");
    await expect.poll(() => notes(page), waits).toContain("Before expiry");
    const before = await notes(page);
    const other = await open();
    await shows(other, "Your notes");
    await expired;
    await add(other, "After expiry");
    for (const tab of [page, other]) {
      await follow(tab, "Account");
      await follow(tab, "Notes");
      await listed(tab, [...before, "After expiry"]);
      expect(await tab.getByRole("alert").count()).toBe(0);
    }
    const { refreshes, attempts, apiUnauthorized } = example.server.stats;
    expect({ refreshes, attempts, apiUnauthorized }).toEqual({ refreshes: 1, attempts: 1, apiUnauthorized: 0 });
  });

  it("never shows the login page during a reload", async () => {
    const page = await open("account");
    await signIn(page);
    for (let reload = 0; reload < 3; reload++) {
      await page.reload();
      await shows(page, "Account");
      expect(await seenOf(page, LOGIN)).toEqual([]);
    }
    await press(page, "Sign out");
    await shows(page, "Sign in");
    expect(await seenOf(page, LOGIN), "so its absence means something").toEqual(LOGIN);
  });

  it("goes back and forth among its pages, and after a sign-out in another tab back to none of them", async () => {
    const page = await open();
    await signIn(page);
    const other = await open("account");
    await follow(page, "Account");
    await shows(page, "Account");
    await page.goBack();
    await shows(page, "Your notes");
    await page.goForward();
    await shows(page, "Account");

    await press(other, "Sign out");
    for (const tab of [page, other]) {
      await shows(tab, "Sign in");
      expect(pathOf(tab)).toMatch(/^\/login/);
    }
    await page.evaluate(() => void seen.splice(0));
    await page.goBack();
    await seconds(0.2);
    await shows(page, "Sign in");
    expect(pathOf(page)).toMatch(/^\/login/);
    expect(await seenOf(page, PRIVATE)).toEqual([]);
  });

  it("leads to the login page from one that was left before the sign-out, and comes back as it was", async () => {
    const page = await open();
    await page.addInitScript(report);
    await signIn(page);
    const other = await open();
    await shows(other, "Your notes");
    await page.goto(`${example.url}control/state`);
    await other.evaluate(() => localStorage.removeItem("reported"));
    await press(other, "Sign out");
    await shows(other, "Sign in");
    await page.evaluate(() => history.back());
    await expect.poll(() => other.evaluate(() => localStorage.getItem("reported")), waits).toBe("Sign in");
  });

  it("R38 shows nothing of one user to the next one, in any tab", async () => {
    const page = await open();
    await signIn(page);
    await add(page, "Ada's alone");
    const other = await open();
    await expect.poll(() => notes(other), waits).toContain("Ada's alone");
    await press(page, "Sign out");
    for (const tab of [page, other]) await shows(tab, "Sign in");
    await other.evaluate(() => void seen.splice(0));
    await signIn(page, "Grace Hopper");
    for (const tab of [page, other]) await expect.poll(() => tab.locator("main").textContent(), waits).toContain("None yet.");
    expect(await seenOf(other, ["Ada"])).toEqual([]);
  });

  it("axe finds nothing, in light, in dark and on a small screen", async () => {
    const page = await open();
    const check = async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.addScriptTag({ path: axe });
        const found = await page.evaluate(async () => {
          const { axe } = window as unknown as { axe: typeof import("axe-core") };
          return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
        });
        expect(found).toEqual([]);
      }
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(sideways, "pixels to scroll sideways").toBe(0);
    };
    await page.setViewportSize({ width: 360, height: 640 });
    await shows(page, "Sign in");
    await check();
    await signIn(page);
    await add(page, "A note");
    await check();
    await follow(page, "Account");
    await shows(page, "Account");
    await check();
  });

  it("is built by Vite", async () => {
    const outDir = mkdtempSync(join(tmpdir(), "tokentide-example-"));
    await build({
      root: fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)),
      logLevel: "error",
      build: { outDir, emptyOutDir: true },
    });
    expect(existsSync(join(outDir, "index.html"))).toBe(true);
    rmSync(outDir, { recursive: true });
  });
});
