import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Tab } from "./browser.js";
import { launch } from "./engines.js";
import { type Site, startSite } from "./site.js";
import { NEXT, PHOTOS, type Way, ways } from "./ways-to-leave.js";

/** What the next page of the profile found. */
export interface Found {
  /** Its status after it was restored. */
  status: string;
  /** The refresh token was still stored some seconds later. */
  tokenLeft: boolean;
}

/** How long the next page may take: to be there, and to remove what it found. In milliseconds. */
const OPENING = 20_000;
const SETTLING = 3000;

/** Without a lead of its own, a refresh would be due at any time. */
export const startSiteToLeave = (browser: Browser): Promise<Site> =>
  startSite(browser, { accessTokenSeconds: 600, session: { lead: 5000 } });

/** Signs in in the only tab of the app, signs out and leaves, and looks at what the next page finds. */
export async function signOutAndLeave(browser: Browser, site: Site, way: Way): Promise<Found> {
  const opened: Tab[] = [];
  const newTab = async (url: string) => {
    const tab = await browser.newTab(url);
    opened.push(tab);
    return tab;
  };
  try {
    const round = { site, newTab };
    const tab = await (way.open?.(round) ?? newTab(site.address()));
    const token = await signIn(tab, site);
    await way.prepare?.(tab, round);
    // The page may be gone before it can say that it has left.
    const left = tab.run(way.leave, way.destination?.(site) ?? site.address(NEXT)).catch(() => {});
    await way.meanwhile?.(tab, round, left);
    if (way.ends) await left;
    const next = way.ends ? await newTab(site.address(NEXT)) : tab;
    const status = await settledStatus(next);
    return { status, tokenLeft: await staysStored(next, token) };
  } finally {
    await Promise.allSettled(opened.map((tab) => tab.close()));
  }
}

/** @returns the refresh token, which is stored now */
async function signIn(tab: Tab, site: Site): Promise<string> {
  await tab.run(() => app.session.ready);
  const tokens = await site.server.issueTokens();
  await tab.run((response) => app.session.signIn(response), tokens);
  const token = tokens.refresh_token ?? "";
  const [status, stored] = await tab.run(async (name) => [app.session.getSnapshot().status, await app.stored(name)] as const, PHOTOS);
  if (status !== "signed-in" || !token || !stored.includes(token)) throw new Error(`before the page left, it was ${status}`);
  return token;
}

/** Waits until the next page is there, and says what it is then. */
async function settledStatus(next: Tab): Promise<string> {
  for (const end = Date.now() + OPENING; Date.now() < end; await sleep(20)) {
    // Between two pages, the driver has none to ask.
    const status = await next
      .run((query) => (location.search === query && globalThis.app?.session.getSnapshot().status) || "", NEXT)
      .catch(() => "");
    if (status && status !== "restoring") return status;
  }
  throw new Error(`the next page was not restored within ${OPENING / 1000} s`);
}

async function staysStored(next: Tab, token: string): Promise<boolean> {
  for (const end = Date.now() + SETTLING; Date.now() < end; await sleep(50)) {
    // Storage that does not answer keeps what it has.
    const stored = await Promise.race([next.run((name) => app.stored(name), PHOTOS), sleep(SETTLING, token)]);
    if (!stored.includes(token)) return false;
  }
  return true;
}

/** What came of one way. */
export interface Tally {
  readonly name: string;
  readonly times: number;
  signedIn: number;
  tokenLeft: number;
  /** Rounds that ended with an error, and so tell nothing. */
  readonly errors: string[];
}

/** Leaves each way so many times, and says how often the session was found again. Ways whose name lacks the text are left out. */
export async function countLeavings(times: number, text: string, log: (line: string) => void): Promise<Tally[]> {
  const browser = await launch();
  log(`${browser.engine} ${browser.version}`);
  const tallies: Tally[] = [];
  for (const way of ways.filter(({ name }) => name.includes(text))) {
    const reason = way.impossible?.(browser);
    if (reason) {
      log(`not run: ${way.name} (${reason})`);
      continue;
    }
    const tally: Tally = { name: way.name, times, signedIn: 0, tokenLeft: 0, errors: [] };
    tallies.push(tally);
    const site = await startSiteToLeave(browser);
    for (let round = 1; round <= times; round++) {
      try {
        const { status, tokenLeft } = await signOutAndLeave(browser, site, way);
        tally.signedIn += Number(status !== "signed-out");
        tally.tokenLeft += Number(tokenLeft);
      } catch (error) {
        tally.errors.push(`round ${round}: ${error instanceof Error ? error.message : error}`);
      }
    }
    await site.close();
    log(`${way.name}: ${tally.signedIn} of ${times}`);
    for (const error of tally.errors) log(`  ${error}`);
  }
  await browser.close();
  return tallies;
}
