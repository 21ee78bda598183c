import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { firefox, type Page } from "playwright-core";
import { findFirefox } from "../../../scripts/engines.js";
import { type Browser, insecureHost, type Tab } from "./browser.js";
import { busiestContentProcess } from "./processes.js";

/** A stock Firefox, over WebDriver BiDi. */
export async function launchFirefox(preferences: Record<string, boolean> = {}): Promise<Browser> {
  const path = findFirefox();
  if (!path) throw new Error("Firefox is not installed (Debian: apt-get install firefox-esr), or name one in TOKENTIDE_FIREFOX.");
  const browser = await firefox.launch({
    // The wrapper unsets what would end the whole browser when one of its tabs crashes.
    executablePath: fileURLToPath(new URL("firefox.sh", import.meta.url)),
    channel: "moz-firefox",
    env: { ...process.env, TOKENTIDE_FIREFOX: path },
    firefoxUserPrefs: { "network.dns.localDomains": insecureHost, "dom.disable_open_during_load": false, ...preferences },
  });
  const context = await browser.newContext();
  return {
    engine: "firefox",
    version: browser.version(),
    // It does not keep pages that have fetched since they were opened by WebDriver.
    backForwardCache: false,
    survivesCrash: true,
    async newTab(url) {
      const page = await context.newPage();
      await page.goto(url);
      return firefoxTab(page);
    },
    // It has no private window beside the others for its driver: a browser of its own, all of whose windows are.
    privateWindow: () => launchFirefox({ "browser.privatebrowsing.autostart": true }),
    close: () => browser.close(),
  };
}

function firefoxTab(page: Page): Tab {
  const run = <R, A>(script: (argument: A) => R | Promise<R>, argument?: A) =>
    page.evaluate(script as (argument: unknown) => R | Promise<R>, argument);
  return {
    run,
    goto: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    async duplicate() {
      const [opened] = await Promise.all([page.waitForEvent("popup"), run(() => void window.open(location.href))]);
      await opened.waitForLoadState();
      return firefoxTab(opened);
    },
    close: () => page.close(),
    async crash(busy) {
      process.kill(await busiestContentProcess(() => (busy ? sleep(700) : run(keepBusy))), "SIGKILL");
    },
  };
}

/** In the page. */
function keepBusy(): void {
  for (const end = performance.now() + 700; performance.now() < end; );
}
