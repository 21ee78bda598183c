import type { Figures } from "../../scripts/soak-report.js";
import { type ChromiumTab, launch } from "../browser/harness/chromium.js";
import { startSite } from "../browser/harness/site.js";
import { TabLife } from "./tab-life.js";
import { type Harvest, startWatch } from "./watch.js";

const GRACE_SECONDS = 10;
/** Of the refreshes seen, in how many the tab that made it is closed meanwhile. */
const CLOSE_WHILE_REFRESHING = 0.25;
const HARVEST_EVERY = 5_000;
/** By then the page has compiled what it runs. */
const SETTLED_AFTER = 30_000;

export interface SoakOptions {
  minutes: number;
  tabs: number;
  log(line: string): void;
}

/** Opens and closes tabs for some minutes, and tells what came of it. */
export async function soak({
  minutes,
  tabs,
  log,
}: SoakOptions): Promise<Omit<Figures, "date" | "command" | "commit" | "minutes" | "tabs">> {
  const browser = await launch();
  const session = { reuseGrace: GRACE_SECONDS * 1000 };
  const site = await startSite(browser, { accessTokenSeconds: 10, reuseGraceSeconds: GRACE_SECONDS, pollEvery: 1000, session });
  const { stats, faults, tokenEndpoint } = site.server;
  const logged = new Map<string, number>();
  const write = stats.log;
  // The log itself forgets.
  stats.log = (kind, grantId) => {
    logged.set(kind, (logged.get(kind) ?? 0) + 1);
    write(kind, grantId);
  };
  const timesLogged = (kind: string) => logged.get(kind) ?? 0;

  const open: TabLife[] = [];
  const life = { opened: 0, closed: 0, closedWhileRefreshing: 0 };
  const api = { ok: 0, unauthorized: 0 };
  const violations = { reused: 0, signOuts: 0, apiFailures: 0 };
  const freshness = { spans: [] as number[], signedIn: 0 };
  const staying = Math.max(1, Math.round(tabs / 3));

  async function add(tab: ChromiumTab): Promise<void> {
    life.opened += 1;
    const one = new TabLife(tab, { number: life.opened, stays: life.opened <= staying, tokenEndpoint });
    await startWatch(tab);
    tab.page.on("request", (request) => {
      if (!one.stays && request.url() === tokenEndpoint && Math.random() < CLOSE_WHILE_REFRESHING) {
        setTimeout(() => {
          if (one.refreshing) remove(one).catch((error) => log(`closing tab ${one.number}: ${error}`));
        }, Math.random() * 1000);
      }
    });
    open.push(one);
  }

  /** Takes it from the list first: nothing else is to touch it. */
  async function remove(one: TabLife): Promise<void> {
    const index = open.indexOf(one);
    if (index < 0) return;
    open.splice(index, 1);
    take(one, await one.harvest(true));
    if (one.refreshing) life.closedWhileRefreshing += 1;
    life.closed += 1;
    await one.tab.close();
  }

  function take(one: TabLife, { heard, apiOk, apiFailures, spans, watched }: Harvest): void {
    api.ok += apiOk;
    violations.apiFailures += apiFailures.length;
    freshness.spans.push(...spans);
    freshness.signedIn += watched;
    const signOuts = heard.filter((event) => event.startsWith("signed-out"));
    violations.signOuts += signOuts.length;
    for (const what of [...signOuts, ...apiFailures.map((failure) => `API call failed: ${failure}`)])
      log(`VIOLATION in tab ${one.number}: ${what}`);
    if (signOuts.length + apiFailures.length > 0) for (const line of one.story) log(`  ${line}`);
  }

  async function harvestAll(last = false): Promise<void> {
    // One that is closed meanwhile has been asked already.
    const harvests = await Promise.all(open.map(async (one) => ({ one, taken: await one.harvest(last).catch(() => null) })));
    for (const { one, taken } of harvests) if (taken) take(one, taken);
    if (stats.reused > violations.reused) {
      violations.reused = stats.reused;
      log(`VIOLATION: used refresh tokens presented outside the grace: ${stats.reused}`);
      for (const { at, kind } of stats.events.slice(-40)) log(`  ${at} server ${kind}`);
      for (const { one } of harvests) for (const line of one.story) log(`  ${line}`);
    }
    const out = harvests.filter(({ taken }) => taken?.signedIn === false).map(({ one }) => one.number);
    if (out.length > 0) log(`signed out: tabs ${out.join(", ")}, of ${harvests.length}`);
    // The soak goes on, with a new session.
    if (harvests.length > 0 && out.length === harvests.length) await site.signIn(open[0]!.tab, "ada");
  }

  try {
    for (const tab of await site.openSignedIn(tabs)) await add(tab as ChromiumTab);
    faults.token = { kind: "weather", milliseconds: 2000, chances: { down: 0.01, loseAnswer: 0.01 } };
    const start = Date.now();
    const end = start + minutes * 60_000;
    const memory: Figures["memory"] = { start: [], end: [] };
    const weighAll = async () => {
      const weights: number[] = [];
      for (const one of open.filter(({ stays }) => stays)) weights.push(await one.memory());
      return weights;
    };

    for (let harvestAt = 0, toldAt = start; Date.now() < end; ) {
      await pause(Math.random() * 2000);
      const leaving = open.filter(({ stays }) => !stays);
      if (open.length >= tabs || (open.length > tabs / 2 && Math.random() < 0.5)) {
        const one = leaving[Math.floor(Math.random() * leaving.length)];
        if (one) await remove(one);
      } else {
        for (const tab of await site.open(1)) await add(tab as ChromiumTab);
      }
      if (Date.now() < harvestAt) continue;
      await harvestAll();
      harvestAt = Date.now() + HARVEST_EVERY;
      if (memory.start.length === 0 && Date.now() - start > SETTLED_AFTER) memory.start = await weighAll();
      if (Date.now() - toldAt < 60_000) continue;
      toldAt = Date.now();
      const so = { rotations: stats.refreshes, ...violations, apiOk: api.ok, spans: freshness.spans.length, open: open.length };
      log(`${Math.round((toldAt - start) / 60_000)} min ${JSON.stringify({ ...so, ...life })}`);
    }
    memory.end = await weighAll();
    await harvestAll(true);
    api.unauthorized = stats.apiUnauthorized;
    const server = {
      rotations: stats.refreshes,
      attempts: stats.attempts,
      replayed: timesLogged("used refresh token presented within the grace"),
      down: timesLogged("fault: down"),
      lost: timesLogged("fault: lose-answer"),
    };
    return { chromium: browser.version, life, server, violations, api, freshness, memory };
  } finally {
    await site.close();
    await browser.close();
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
