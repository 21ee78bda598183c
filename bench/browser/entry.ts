import { type ChromiumBrowser, launch } from "../../test/browser/harness/chromium.js";
import { startSite } from "./site.js";
import { start } from "./start.js";
import { memory, overhead, rotations } from "./tabs.js";

export interface BrowserOptions {
  /** A tenth of everything, to see that it works. */
  quick: boolean;
  log(line: string): void;
}

type Site = Awaited<ReturnType<typeof startSite>>;

/** Between tabs: adoption, memory, and what a refresh costs beside its request. */
export const betweenTabs = ({ quick, log }: BrowserOptions) =>
  inBrowser(async (browser, site) => {
    const few = (count: number) => (quick ? Math.ceil(count / 10) : count);
    const added = await overhead(browser, site, few(200));
    const heap = await memory(browser, site, few(1000));
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
    return { chromium: browser.version, tabs, memory: heap, added };
  });

/** The start of a page. */
export const startOfPage = ({ quick }: BrowserOptions) => inBrowser((browser, site) => start(browser, site, quick ? 4 : 40));

async function inBrowser<T>(measure: (browser: ChromiumBrowser, site: Site) => Promise<T>): Promise<T> {
  const browser = await launch();
  const site = await startSite();
  try {
    return await measure(browser, site);
  } finally {
    await browser.close();
    await site.close();
  }
}
