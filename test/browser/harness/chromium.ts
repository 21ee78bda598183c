import { chromium, type Page } from "playwright-core";
import { findChromium } from "../../../scripts/chromium.js";
import { type Browser, insecureHost, type Tab } from "./browser.js";

export type { Browser, Tab } from "./browser.js";

/** A page of Chromium, with Playwright's own handle for what only Chromium can do. */
export interface ChromiumTab extends Tab {
  readonly page: Page;
}

export interface ChromiumBrowser extends Browser {
  newTab(url: string): Promise<ChromiumTab>;
}

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
    args: [
      `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`,
      ...[
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    ],
  });
  const context = await browser.newContext();
  return {
    engine: "chromium",
    version: browser.version(),
    backForwardCache,
    async newTab(url) {
      const page = await context.newPage();
      await page.goto(url);
      return chromiumTab(page);
    },
    close: () => browser.close(),
  };
}

function chromiumTab(page: Page): ChromiumTab {
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
  };
}
