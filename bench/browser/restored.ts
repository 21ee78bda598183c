import type { ChromiumBrowser } from "../../test/browser/harness/chromium.js";
import { shuffled, spread } from "../measure.js";
import { pathOf, type Restoring, restoredPathOf, restoring } from "./pages.js";
import { PATH, type Restored } from "./restored/entry.js";
import type { Site } from "./site.js";
import { SLOW_DOWN, sentAt } from "./start.js";

interface Round {
  /** Compiling and running the bundle. */
  readonly imported: number;
  /** From there until the session is restored. */
  readonly ready: number;
  /** From the navigation to the first authorized request. */
  readonly first: number;
}

/** A stored, still fresh session: what each library needs to restore it in a page that opens, and to send the first call with it. */
export async function restored(browser: ChromiumBrowser, site: Site, loads: number) {
  const tab = await browser.newTab(`${site.url}${pathOf("tokentide with oauth2")}`);
  const cdp = await tab.page.context().newCDPSession(tab.page);
  const names = Object.keys(restoring) as Restoring[];
  for (const name of names) {
    await tab.goto(`${site.url}${pathOf(name)}`);
    await tab.run(seed, site.restorable);
  }
  const outcome = [];
  for (const rate of [1, SLOW_DOWN]) {
    await cdp.send("Emulation.setCPUThrottlingRate", { rate });
    const rounds = new Map(names.map((name) => [name, [] as Round[]]));
    for (let load = 0; load < loads; load++) {
      for (const name of shuffled(names)) {
        await tab.goto(`${site.url}${pathOf(name)}`);
        const took = await tab.run(importAndStart);
        await tab.goto(`${site.url}${restoredPathOf(name)}`);
        rounds.get(name)!.push({ ...took, first: await tab.run(sentAt, PATH) });
      }
    }
    const least = rounds.get(names[0]!)!;
    const summary = [...rounds].map(([name, own]) => [
      name,
      {
        imported: spread(own.map(({ imported }) => imported)),
        ready: spread(own.map(({ ready }) => ready)),
        first: spread(own.map(({ first }) => first)),
        // Within a round, as everything that is compared.
        later: spread(own.map(({ first }, round) => first - least[round]!.first)),
      },
    ]);
    outcome.push({ rate, by: Object.fromEntries(summary) as Record<Restoring, Record<keyof Round | "later", ReturnType<typeof spread>>> });
  }
  await tab.close();
  // Each has to have done it: a call with the token, no call without it, and no renewal.
  const { counts, refused } = site;
  if (refused.calls || refused.tokens || counts.refreshes || counts.restored < 2 * 2 * loads * names.length)
    throw new Error(`not every page restored its session: ${JSON.stringify({ counts, refused })}`);
  return { loads, outcome };
}

type InPage = { app: Restored };

/** In the page: the same as at a start, and the session is left in its storage. */
async function seed(tokens: Parameters<Restored["seed"]>[0]): Promise<void> {
  // biome-ignore lint/security/noGlobalEval: the page has the bundle as text, so that compiling it can be timed
  globalThis.eval(`${document.getElementById("source")!.textContent}\nglobalThis.app = app;`);
  await (globalThis as unknown as InPage).app.seed(tokens);
}

/** In the page: compiles and runs the bundle, restores the session, and calls the API. */
async function importAndStart(): Promise<{ imported: number; ready: number }> {
  // Never the same text twice: what was compiled is remembered.
  const source = `${document.getElementById("source")!.textContent}\nglobalThis.app = app;//${Math.random()}`;
  const begin = performance.now();
  // biome-ignore lint/security/noGlobalEval: as above
  globalThis.eval(source);
  const imported = performance.now() - begin;
  const call = await (globalThis as unknown as InPage).app.start();
  const ready = performance.now() - begin - imported;
  const { status } = await call();
  if (status !== 200) throw new Error(`the first call got ${status}`);
  return { imported, ready };
}
