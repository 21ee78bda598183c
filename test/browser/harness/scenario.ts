import { afterAll, beforeAll, expect, onTestFinished, type TestContext } from "vitest";
import type { Browser, Tab } from "./browser.js";
import { launch } from "./engines.js";
import { type Site, type SiteOptions, startSite } from "./site.js";

/** One browser for the tests of a file. Each test has a site of its own, so an origin of its own, so a storage of its own. */
export function useBrowser(start: () => Promise<Browser> = launch) {
  let browser: Browser;
  beforeAll(async () => {
    browser = await start();
  });
  afterAll(() => browser?.close());
  return {
    get current() {
      return browser;
    },
    async site(options?: SiteOptions): Promise<Site> {
      const site = await startSite(browser, options);
      onTestFinished(() => site.close());
      return site;
    },
  };
}

/** What an engine cannot do is told with its reason at the end of the run. */
export function cannot({ skip, task }: TestContext, condition: boolean, reason: string): void {
  if (condition) Object.assign(task.meta, { reason });
  skip(condition, reason);
}

export const all = <R>(tabs: readonly Tab[], script: () => R | Promise<R>): Promise<R[]> => Promise.all(tabs.map((tab) => tab.run(script)));

/** Waits until a first request has reached the token endpoint, and tells whose it is. */
export async function holderOf(site: Site, tabs: readonly Tab[]): Promise<{ holder: Tab; others: Tab[] }> {
  await expect.poll(() => site.server.stats.attempts, { timeout: 30_000, interval: 20 }).toBe(1);
  const senders = await all(tabs, () => app.token.sent > 0);
  expect(senders.filter(Boolean), "tabs that sent a refresh").toHaveLength(1);
  const holder = tabs[senders.indexOf(true)]!;
  return { holder, others: tabs.filter((tab) => tab !== holder) };
}

/** Waits until all tabs are on one token, which one of them may just be fetching: that all have none yet is no agreement. */
export async function expectOneToken(tabs: readonly Tab[], timeout = 10_000): Promise<void> {
  const tokens = async () => [...new Set(await all(tabs, () => app.serial()))];
  await expect.poll(tokens, { timeout }).toEqual([expect.any(String)]);
}

/** Each tab has called its API, and never in vain. */
export async function expectApiFine(tabs: readonly Tab[]): Promise<void> {
  await expect.poll(async () => Math.min(...(await all(tabs, () => app.api.ok)))).toBeGreaterThan(0);
  expect((await all(tabs, () => app.api.failures)).flat()).toEqual([]);
}

export const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000));
