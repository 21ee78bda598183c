import { launch } from "../../test/browser/harness/chromium.js";
import { startSite } from "./site.js";
import { start } from "./start.js";
import { memory, overhead, rotations } from "./tabs.js";

export interface BrowserOptions {
  /** A tenth of everything, to see that it works. */
  quick: boolean;
  log(line: string): void;
}

/** What needs a real browser: adoption between tabs, memory, what a refresh costs beside its request, and the start of a page. */
export async function inBrowser({ quick, log }: BrowserOptions) {
  const browser = await launch();
  const site = await startSite();
  const few = (count: number) => (quick ? Math.ceil(count / 10) : count);
  try {
    const started = await start(browser, site, few(40));
    log("start");
    const added = await overhead(browser, site, few(200));
    log("overhead");
    const heap = await memory(browser, site, few(1000));
    log("memory");
    const tabs = [];
    for (const [count, rounds] of [
      [1, 30],
      [10, 50],
      [50, 100],
      [100, 20],
    ] as const) {
      tabs.push(await rotations(browser, site, count, few(rounds)));
      log(`${count} tabs`);
    }
    if (site.refused.tokens) throw new Error(`${site.refused.tokens} used refresh tokens were sent`);
    return { chromium: browser.version, tabs, memory: heap, added, start: started };
  } finally {
    await browser.close();
    await site.close();
  }
}
