import { type ChromiumBrowser, launch } from "../../test/browser/harness/chromium.js";
import { costOfProofs } from "./bound-calls.js";
import { withFormer } from "./former.js";
import { boundPage, type Page, restoredPages, startPages, tabPage } from "./pages.js";
import { restored } from "./restored.js";
import { type Site, startSite } from "./site.js";
import { start } from "./start.js";
import { memory, overhead, rotations } from "./tabs.js";

export interface BrowserOptions {
  /** A tenth of everything, to see that it works. */
  quick: boolean;
  log(line: string): void;
}

/** Between tabs: adoption, memory, and what a refresh costs beside its request. */
export async function betweenTabs({ quick, log }: BrowserOptions) {
  const few = (count: number) => (quick ? Math.ceil(count / 10) : count);
  const pages = await tabPage();
  const formerPages = await withFormer(async (former) => former && tabPage(former), log);
  return inBrowser(pages, async (browser, site) => {
    const former = formerPages && (await startSite(formerPages));
    const added = await overhead(browser, site, former, few(200));
    await former?.close();
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
}

/** The start of a page. */
export async function startOfPage({ quick, log }: BrowserOptions) {
  const [pages, former] = await withFormer(async (former) => [await startPages(former), !!former] as const, log);
  return inBrowser(pages, (browser, site) => start(browser, site, { loads: quick ? 4 : 40, former }));
}

/** A stored session, restored by each of those that keep one. */
export async function restoredSession({ quick }: BrowserOptions) {
  return inBrowser(await restoredPages(), (browser, site) => restored(browser, site, quick ? 4 : 40));
}

/** Calls with tokens that are bound to a key, beside calls with a bearer. */
export async function callsWithProofs({ quick }: BrowserOptions) {
  return inBrowser(await boundPage(), (browser, site) => costOfProofs(browser, site, quick ? 10 : 100));
}

async function inBrowser<T>(pages: Record<string, Page>, measure: (browser: ChromiumBrowser, site: Site) => Promise<T>): Promise<T> {
  const browser = await launch();
  const site = await startSite(pages);
  try {
    return await measure(browser, site);
  } finally {
    await browser.close();
    await site.close();
  }
}
