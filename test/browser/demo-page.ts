import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { ServerState } from "../../demo/page/server.js";
import { startDemo } from "../../demo/start.js";
import { buildStatic, serveStatic } from "../../demo/static.js";
import { type ChromiumBrowser, launch } from "./harness/chromium.js";

/** How long a page may take on a machine that is busy. */
export const waits = { timeout: 15_000 };

export interface Home {
  readonly url: string;
  close(): Promise<void>;
}

/** Where the page can be at home: with the real server, and built as files with a back end of its own. */
export const homes: Record<"real server" | "static", () => Promise<Home>> = {
  "real server": () => startDemo({ port: 0 }),
  async static() {
    const folder = mkdtempSync(join(tmpdir(), "tokentide-demo-"));
    // In a folder, as it may be hosted.
    const { url, close } = await serveStatic(await buildStatic(folder), 0, "/some/where/");
    return {
      url,
      async close() {
        await close();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

export interface Visitor {
  /** Opens the page; what it throws is kept in `complaints`. */
  open(url: string): Promise<Page>;
  readonly profile: BrowserContext;
  readonly complaints: string[];
  leave(): Promise<void>;
}

/** Somebody with a browser that has never been here. */
export async function visit(browser: ChromiumBrowser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const { page } = await browser.newTab("about:blank");
  const profile = await page.context().browser()!.newContext(options);
  await page.close();
  const complaints: string[] = [];
  profile.on("page", (page) => page.on("pageerror", (error) => complaints.push(error.message)));
  return {
    profile,
    complaints,
    async open(url) {
      const page = await profile.newPage();
      await page.goto(url);
      return page;
    },
    leave: () => profile.close(),
  };
}

export { launch };

export const status = (page: Page) => page.locator("#status").textContent();
export const text = async (page: Page, id: string) => (await page.locator(`#${id}`).textContent()) ?? "";
export const lines = async (page: Page, list: "events" | "requests" | "server-events") =>
  (await page.locator(`#${list} li`).allTextContents()).map((line) => line.replace(/^[\d:]+/, ""));
export const click = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
/** The lanes that are shown, by their names. */
export const lanesOf = (page: Page) => page.locator("#lanes li:not(.closed) b").allTextContents();

export async function signIn(page: Page, user: "Ada" | "Grace" = "Ada"): Promise<void> {
  await click(page, `Sign in as ${user}`);
  await expect.poll(() => status(page), waits).toMatch(`Signed in as ${user}`);
}

/** What the page's server, whichever it is, has counted. */
export const truth = (page: Page): Promise<ServerState> => page.evaluate(() => fetch("control/state").then((answer) => answer.json()));

export const set = (page: Page, command: "settings" | "faults" | "reset", body: object = {}) =>
  page.evaluate(
    ([path, json]) => fetch(path as string, { method: "POST", body: json as string }).then((answer) => answer.json()),
    [`control/${command}`, JSON.stringify(body)],
  );

/** Presses a button of "Break it", and gives what the page says came of it. */
export async function breakIt(page: Page, id: string, patience = 45_000): Promise<{ tone: string | null; should: string; did: string }> {
  const button = page.locator(`#break-${id}`);
  await expect.poll(() => button.getAttribute("aria-disabled"), waits).toBe("false");
  await button.click();
  const card = page.locator(".card", { has: button });
  await expect.poll(() => card.getAttribute("data-tone"), { timeout: patience }).toMatch(/good|bad/);
  return { tone: await card.getAttribute("data-tone"), should: await text(page, `should-${id}`), did: await text(page, `did-${id}`) };
}

/** The demo, with a visitor for each test. */
export function useDemo() {
  let demo: Awaited<ReturnType<typeof startDemo>>;
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

  return {
    get demo() {
      return demo;
    },
    get visitor() {
      return visitor;
    },
    /** Nothing happens there by itself, but for the refreshes. */
    quiet: () => visitor.open(`${demo.url}?manual`),
    reads: (page: Page, wanted: string) => expect.poll(() => status(page), waits).toBe(wanted),
  };
}
