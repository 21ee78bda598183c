import { setTimeout as sleep } from "node:timers/promises";
import type { ChromiumBrowser, ChromiumTab } from "../../test/browser/harness/chromium.js";
import { quantile, shuffled, spread } from "../measure.js";
import type { Site } from "./site.js";

/** Tabs of one browser, all signed in. */
async function open(browser: ChromiumBrowser, site: Site, count: number): Promise<ChromiumTab[]> {
  const tabs: ChromiumTab[] = [];
  while (tabs.length < count) {
    const tab = await browser.newTab(`${site.url}/tab`);
    tabs.push(tab);
    await tab.run(() => bench.session.ready);
    if (tabs.length === 1) await tab.run((tokens) => bench.session.signIn(tokens), site.tokens());
  }
  for (const tab of tabs) await tab.run(() => bench.forget());
  return tabs;
}

const closeAll = (tabs: ChromiumTab[]) => Promise.all(tabs.map((tab) => tab.close()));

/** A rotation, begun by one tab after the other: how long after the answer the last of all tabs has the token. */
export async function rotations(browser: ChromiumBrowser, site: Site, count: number, rounds: number) {
  const tabs = await open(browser, site, count);
  const before = site.counts.refreshes;
  const answered: number[] = [];
  const told: number[] = [];
  for (let round = 0; round < rounds; round++) {
    answered.push(await tabs[round % count]!.run(() => bench.rotate()));
    await untilAll(tabs, (due) => bench.counted().adopted.length >= due, round + 1);
    // From the first one, so that all others have heard as many.
    if (count > 1) told.push(await tabs[0]!.run(() => bench.tellBare()));
    await untilAll(tabs.slice(1), (due) => bench.counted().heard.length >= due, round + 1);
  }
  const counted = await Promise.all(tabs.map((tab) => tab.run(() => bench.counted())));
  if (counted.some(({ adopted }) => adopted.length !== rounds)) throw new Error("a tab has missed a rotation");
  if (counted.slice(1).some(({ heard }) => heard.length !== rounds)) throw new Error("a tab has missed a bare message");
  const lags = answered.map((at, round) => Math.max(...counted.map(({ adopted }) => adopted[round]!)) - at);
  const bare = told.map((at, round) => Math.max(...counted.slice(1).map(({ heard }) => heard[round]!)) - at);
  const messages = counted.reduce((sum, each) => sum + each.messages, 0) / rounds;
  const refreshes = (site.counts.refreshes - before) / rounds;

  for (const tab of tabs) await tab.run(() => bench.forget());
  await sleep(5000);
  const idle = await Promise.all(tabs.map((tab) => tab.run(() => bench.counted())));
  const timers = Math.max(...idle.map(({ pending }) => pending));
  const timersSet = Math.max(...idle.map(({ timersSet }) => timersSet));
  await closeAll(tabs);
  return {
    tabs: count,
    rounds,
    refreshes,
    messages,
    median: quantile(lags, 0.5),
    p99: quantile(lags, 0.99),
    bare: bareOf(bare),
    idle: { timers, timersSet },
  };
}

const bareOf = (lags: number[]) => (lags.length > 0 ? { median: quantile(lags, 0.5), p99: quantile(lags, 0.99) } : undefined);

/** Until it is so in each of them. */
async function untilAll(tabs: ChromiumTab[], isSo: (due: number) => boolean, due: number): Promise<void> {
  // Asked meanwhile, the tabs would be busy with the answers.
  await sleep(400);
  for (let look = 0; look < 100; look++) {
    const outcomes = await Promise.all(tabs.map((tab) => tab.run(isSo, due)));
    if (!outcomes.includes(false)) return;
    await sleep(20);
  }
}

/** The heap of a tab that refreshes and of one that adopts, once it has compiled all that it runs, and after as many rotations again. */
export async function memory(browser: ChromiumBrowser, site: Site, rounds: number) {
  const [busy, idle] = (await open(browser, site, 2)) as [ChromiumTab, ChromiumTab];
  const weigh = async () => {
    const weights = [];
    for (const tab of [busy, idle]) {
      await tab.run(() => bench.forget());
      weights.push(await heapOf(tab));
    }
    return weights as [number, number];
  };
  // By then the page has compiled what it runs, and compiled anew what it runs often: that stays, at some 700 rotations, as a plain `fetch`
  // run as often has it too.
  await busy.run((times) => bench.rotateOften(times), rounds);
  const from = await weigh();
  await busy.run((times) => bench.rotateOften(times), rounds);
  const to = await weigh();
  await closeAll([busy, idle]);
  return { rounds, refreshing: { from: from[0], to: to[0] }, adopting: { from: from[1], to: to[1] } };
}

async function heapOf(tab: ChromiumTab): Promise<number> {
  const session = await tab.page.context().newCDPSession(tab.page);
  await session.send("Performance.enable");
  for (let time = 0; time < 3; time++) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  return metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? Number.NaN;
}

/** Refreshes in one turn of a build. */
const TURN = 10;

/**
 * What a refresh costs beside its request, when no other tab wants the lock. The former build is in an origin of its own, and takes turns with
 * ours: `toFormer` is the median of the ratios of their turns.
 */
export async function overhead(browser: ChromiumBrowser, site: Site, former: Site | undefined, rounds: number) {
  const [own, other] = [await open(browser, site, 1), former ? await open(browser, former, 1) : []];
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []];
  const turn = async ([tab]: ChromiumTab[], added: number[]) => {
    const outcome = tab ? await tab.run((times) => bench.added(times), TURN) : [];
    added.push(...outcome);
    return quantile(outcome, 0.5);
  };
  while (ours.length < rounds) {
    const medians = { ours: 0, theirs: 0 };
    for (const job of shuffled([
      async () => (medians.ours = await turn(own, ours)),
      async () => (medians.theirs = await turn(other, theirs)),
    ]))
      await job();
    ratios.push(medians.ours / medians.theirs);
  }
  await closeAll([...own, ...other]);
  return { rounds: ours.length, ...spread(ours), ...(former && { former: spread(theirs), toFormer: spread(ratios) }) };
}
