import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { findChromium } from "../../../scripts/chromium.js";
import { type Browser, insecureHost, type Tab } from "./browser.js";

export type { Browser, Tab } from "./browser.js";

/** A page of Chromium, with Playwright's own handle for what only Chromium can do. */
export interface ChromiumTab extends Tab {
  readonly page: Page;
  /** What Chromium does to a hidden page after some minutes: nothing runs in it any more. Only with {@link launchWithRealVisibility}. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

export interface ChromiumBrowser extends Browser {
  newTab(url: string): Promise<ChromiumTab>;
}

const flags = [
  `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`,
  ...[
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
];

/** Starts the Chromium that `scripts/chromium.js` finds; throws a sentence that says what to install when there is none. */
export async function launch(): Promise<ChromiumBrowser> {
  const { path, backForwardCache, env } = await findChromium();
  const browser = await chromium.launch({
    executablePath: path,
    env: { ...process.env, ...env },
    // Chromium does not start with it as root, nor where user namespaces are closed: in containers and in CI.
    chromiumSandbox: false,
    // Pages of real users do go there, with their locks held.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    args: flags,
  });
  return surface(await browser.newContext(), backForwardCache, () => browser.close());
}

/** As `launch`, but only the tab in front is visible. Playwright's own start keeps all of them so, and none of them can be frozen. */
export async function launchWithRealVisibility(): Promise<ChromiumBrowser> {
  const { path, backForwardCache, env } = await findChromium();
  const profile = mkdtempSync(join(tmpdir(), "tokentide-profile-"));
  const options = ["--headless", "--no-sandbox", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
  const child = spawn(path, [...options, ...flags], { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
    ended.then(() => reject(new Error(`${path} ended before it could be driven`)));
  });
  const browser = await chromium.connectOverCDP(address, { noDefaults: true, isLocal: true });
  return surface(browser.contexts()[0]!, backForwardCache, async () => {
    // To close what one is merely connected to is to disconnect; and a killed one leaves children that still write to the profile.
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.close");
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
  });
}

function surface(context: BrowserContext, backForwardCache: boolean, close: () => Promise<void>): ChromiumBrowser {
  return {
    engine: "chromium",
    version: context.browser()?.version() ?? "",
    backForwardCache,
    survivesCrash: true,
    async newTab(url) {
      const page = await context.newPage();
      await page.goto(url);
      return chromiumTab(page);
    },
    close,
  };
}

function chromiumTab(page: Page): ChromiumTab {
  const setState = async (state: "frozen" | "active") => {
    const session = await page.context().newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state });
    await session.detach();
  };
  return {
    page,
    run: <R, A>(script: (argument: A) => R | Promise<R>, argument?: A) =>
      page.evaluate(script as (argument: unknown) => R | Promise<R>, argument),
    goto: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    close: () => page.close(),
    async crash() {
      const crashed = new Promise<void>((resolve) => page.once("crash", () => resolve()));
      const session = await page.context().newCDPSession(page);
      // Its answer never comes: the process that would give it is gone.
      session.send("Page.crash").catch(() => {});
      await crashed;
    },
    freeze: () => setState("frozen"),
    thaw: () => setState("active"),
  };
}
