import type { ChromiumBrowser } from "../../test/browser/harness/chromium.js";
import { shuffled, spread } from "../measure.js";
import { compared, FORMER_PATH, pathOf } from "./pages.js";
import type { Site } from "./site.js";

export const SLOW_DOWN = 4;

/** What a page pays for having a session: on its main thread, and until its first authorized request. */
export async function start(browser: ChromiumBrowser, site: Site, { loads, former }: { loads: number; former: boolean }) {
  const tab = await browser.newTab(`${site.url}/tab`);
  await tab.run((tokens) => bench.session.signIn(tokens), site.tokens());
  const cdp = await tab.page.context().newCDPSession(tab.page);
  await cdp.send("Performance.enable");
  /** Milliseconds of scripts on the main thread so far, compiling included. */
  const scripts = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    const seconds = metrics.filter(({ name }) => ["ScriptDuration", "V8CompileDuration"].includes(name)).map(({ value }) => value);
    return seconds.reduce((sum, value) => sum + value, 0) * 1000;
  };
  /** When the page sends its call, and what its scripts took on the main thread. */
  const called = async (path: string) => {
    const before = await scripts();
    await tab.goto(`${site.url}${path}`);
    const at = await tab.run(sentAt, "/api/me");
    return { at, script: (await scripts()) - before };
  };
  const created = async (path: string) => {
    await tab.goto(`${site.url}${path}`);
    return tab.run(importAndCreate);
  };
  await tab.goto(`${site.url}/by-hand`);
  await tab.run(store, site.tokens().access_token);
  const outcome = [];
  for (const rate of [1, SLOW_DOWN]) {
    await cdp.send("Emulation.setCPUThrottlingRate", { rate });
    const rounds: Round[] = [];
    while (rounds.length < loads) {
      const round: Partial<Round> = {};
      // In an order drawn anew, so that what one leaves behind is not always met by the same next one.
      const jobs: (() => Promise<unknown>)[] = [
        async () => Object.assign(round, await created("/start")),
        async () => (round.former = former ? (await created(FORMER_PATH)).created : undefined),
        async () => (round.first = await called("/first")),
        async () => (round.byHand = await called("/by-hand")),
        async () => (round.stored = (await called("/stored")).at),
      ];
      for (const job of shuffled(jobs)) await job();
      rounds.push(round as Round);
    }
    outcome.push({ rate, ...summary(rounds) });
  }
  // Still slowed down, as the last of ours.
  const others: Record<string, number> = {};
  for (const name of compared) {
    const imported: number[] = [];
    for (let load = 0; load < loads; load++) {
      await tab.goto(`${site.url}${pathOf(name)}`);
      imported.push(await tab.run(importOnly));
    }
    others[name] = spread(imported).median;
  }
  await tab.close();
  if (site.refused.calls) throw new Error(`${site.refused.calls} calls were sent with a token that is not in force`);
  return { loads, outcome, others };
}

interface Round {
  imported: number;
  created: number;
  /** The same as `created`, of the former build. */
  former: number | undefined;
  first: { at: number; script: number };
  byHand: { at: number; script: number };
  /** The call by hand with a token from IndexedDB. */
  stored: number;
}

function summary(rounds: Round[]) {
  const over = (read: (round: Round) => number) => spread(rounds.map(read));
  const [first, byHand] = [over((round) => round.first.at), over((round) => round.byHand.at)];
  const compares = rounds.every(({ former }) => former !== undefined);
  return {
    loaded: over((round) => round.first.script).median - over((round) => round.byHand.script).median,
    imported: over((round) => round.imported),
    main: over((round) => round.created),
    // Within a round, as everything that is compared.
    ...(compares && { former: over((round) => round.former!), toFormer: over((round) => round.created / round.former!) }),
    first,
    byHand,
    stored: over((round) => round.stored),
    later: first.median - byHand.median,
    laterThanStored: over((round) => round.first.at - round.stored),
  };
}

/** In the page: compiles and runs the bundle, and makes a session, in one go. */
function importAndCreate() {
  // Never the same text twice: what was compiled is remembered.
  const source = `${document.getElementById("source")!.textContent}\nglobalThis.app = app;//${Math.random()}`;
  const start = performance.now();
  // biome-ignore lint/security/noGlobalEval: a script that is loaded is compiled at a time of its own; this is all of it, at once
  globalThis.eval(source);
  const imported = performance.now() - start;
  (globalThis as unknown as { app: { makeSession(): unknown } }).app.makeSession();
  return { imported, created: performance.now() - start };
}

/** In the page: compiles and runs a bundle. */
function importOnly() {
  const source = `${document.getElementById("source")!.textContent}\n//${Math.random()}`;
  const start = performance.now();
  // biome-ignore lint/security/noGlobalEval: as above
  globalThis.eval(source);
  return performance.now() - start;
}

/** In the page: puts the token where `stored.ts` reads it. */
function store(token: string): Promise<void> {
  return new Promise((resolve) => {
    const opening = indexedDB.open("by-hand", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("tokens");
    opening.onsuccess = () => {
      const writing = opening.result.transaction("tokens", "readwrite");
      writing.objectStore("tokens").put(token, "access");
      writing.oncomplete = () => {
        opening.result.close();
        resolve();
      };
    };
  });
}

/** In the page: when, since its navigation, the call to the API was sent. */
export async function sentAt(path: string): Promise<number> {
  for (;;) {
    const [call] = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(path));
    if (call) return call.startTime;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
