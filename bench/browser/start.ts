import type { ChromiumBrowser } from "../../test/browser/harness/chromium.js";
import { spread } from "../measure.js";
import { compared, pathOf, type startSite } from "./site.js";

type Site = Awaited<ReturnType<typeof startSite>>;

const SLOW_DOWN = 4;

/** What a page pays for having a session: on its main thread, and until its first authorized request. */
export async function start(browser: ChromiumBrowser, site: Site, loads: number) {
  const tab = await browser.newTab(`${site.url}/tab`);
  await tab.run((tokens) => bench.session.signIn(tokens), site.tokens());
  const cdp = await tab.page.context().newCDPSession(tab.page);
  await cdp.send("Performance.enable");
  /** Milliseconds of scripts on the main thread meanwhile, compiling included. */
  const scriptTime = async (load: () => Promise<void>) => {
    const before = await scripts();
    await load();
    return (await scripts()) - before;
  };
  const scripts = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    const seconds = metrics.filter(({ name }) => ["ScriptDuration", "V8CompileDuration"].includes(name)).map(({ value }) => value);
    return seconds.reduce((sum, value) => sum + value, 0) * 1000;
  };
  await tab.goto(`${site.url}/by-hand`);
  await tab.run(store, site.tokens().access_token);
  const outcome = [];
  for (const rate of [1, SLOW_DOWN]) {
    await cdp.send("Emulation.setCPUThrottlingRate", { rate });
    const imported: number[] = [];
    const main: number[] = [];
    const first: number[] = [];
    const byHand: number[] = [];
    const stored: number[] = [];
    const script = { first: [] as number[], byHand: [] as number[] };
    for (let load = 0; load < loads; load++) {
      await tab.goto(`${site.url}/start`);
      const took = await tab.run(importAndCreate);
      imported.push(took.imported);
      main.push(took.created);
      script.first.push(
        await scriptTime(async () => {
          await tab.goto(`${site.url}/first`);
          first.push(await tab.run(sentAt));
        }),
      );
      script.byHand.push(
        await scriptTime(async () => {
          await tab.goto(`${site.url}/by-hand`);
          byHand.push(await tab.run(sentAt));
        }),
      );
      await tab.goto(`${site.url}/stored`);
      stored.push(await tab.run(sentAt));
    }
    const [session, hand] = [spread(first), spread(byHand)];
    outcome.push({
      rate,
      loaded: spread(script.first).median - spread(script.byHand).median,
      imported: spread(imported),
      main: spread(main),
      first: session,
      byHand: hand,
      stored: spread(stored),
      later: session.median - hand.median,
    });
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
async function sentAt(): Promise<number> {
  for (;;) {
    const [call] = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/api/me"));
    if (call) return call.startTime;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
