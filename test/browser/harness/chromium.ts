import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrowserContext, chromium, type Page, type Browser as PlaywrightBrowser } from "playwright-core";
import { findChromium } from "../../../scripts/chromium.js";
import { type Browser, insecureHost, type Tab } from "./browser.js";

export type { Browser, Tab } from "./browser.js";

/** A page of Chromium, with Playwright's own handle for what only Chromium can do. */
export interface ChromiumTab extends Tab {
  readonly page: Page;
  /** What Chromium does to a hidden page after some minutes: nothing runs in it any more. Only with {@link launchWithRealVisibility}. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

export interface ChromiumBrowser extends Browser {
  newTab(url: string): Promise<ChromiumTab>;
}

const flags = [
  `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`,
  ...[
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
];

/** Starts the Chromium that `scripts/chromium.js` finds; throws a sentence that says what to install when there is none. */
export async function launch(): Promise<ChromiumBrowser> {
  const { path, backForwardCache, env } = await findChromium();
  const browser = await chromium.launch({
    executablePath: path,
    env: { ...process.env, ...env },
    // Chromium does not start with it as root, nor where user namespaces are closed: in containers and in CI.
    chromiumSandbox: false,
    // Pages of real users do go there, with their locks held.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    args: flags,
  });
  return surface(await browser.newContext(), backForwardCache, () => browser.close());
}

/** A Chromium with a profile of its own, which nobody drives yet. */
export interface OwnProfile {
  /** Where it is driven. */
  readonly address: string;
  readonly backForwardCache: boolean;
  kill(): Promise<void>;
  /** Waits until it has closed, and removes its profile. */
  closed(): Promise<void>;
}

export async function startOwnProfile(further: readonly string[] = []): Promise<OwnProfile> {
  const { path, backForwardCache, env } = await findChromium();
  const profile = mkdtempSync(join(tmpdir(), "tokentide-profile-"));
  const options = ["--headless", "--no-sandbox", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
  const child = spawn(path, [...options, ...flags, ...further], { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
    ended.then(() => reject(new Error(`${path} ended before it could be driven`)));
  });
  await firstPage(new URL(address).host);
  return {
    address,
    backForwardCache,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async closed() {
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

/** As `launch`, but only the tab in front is visible. Playwright's own start keeps all of them so, and none of them can be frozen. */
export async function launchWithRealVisibility(further: readonly string[] = [], attempts = 3): Promise<ChromiumBrowser> {
  const { address, backForwardCache, kill, closed } = await startOwnProfile(further);
  const browser = await chromium.connectOverCDP(address, { noDefaults: true, isLocal: true, timeout: 15_000 }).catch(async (error) => {
    // Seldom, one that is still starting takes the connection and never answers: it is started anew.
    await kill();
    if (attempts === 1) throw error;
    return undefined;
  });
  if (!browser) return launchWithRealVisibility(further, attempts - 1);
  return surface(browser.contexts()[0]!, backForwardCache, async () => {
    // To close what one is merely connected to is to disconnect; and a killed one leaves children that still write to the profile.
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.close");
    await closed();
  });
}

/** Waits until there is a page to drive: the address is told before that. */
async function firstPage(host: string): Promise<void> {
  for (let look = 0; look < 100; look++) {
    const response = await fetch(`http://${host}/json/list`);
    const targets = (await response.json()) as { type: string }[];
    if (targets.some(({ type }) => type === "page")) return;
    await sleep(50);
  }
}

function surface(context: BrowserContext, backForwardCache: boolean, close: () => Promise<void>): ChromiumBrowser {
  return {
    engine: "chromium",
    version: context.browser()?.version() ?? "",
    backForwardCache,
    survivesCrash: true,
    async newTab(url) {
      const page = await context.newPage();
      await page.goto(url);
      return chromiumTab(page);
    },
    async privateWindow() {
      // What Playwright calls a context is a window of that kind.
      const window = await context.browser()!.newContext();
      return {
        async newTab(url) {
          const page = await window.newPage();
          await page.goto(url);
          return chromiumTab(page);
        },
        close: () => window.close(),
      };
    },
    close,
  };
}

/** The process of the page that is busy for the next third of a second. */
async function busiestRenderer(browser: PlaywrightBrowser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const renderers = async () => (await session.send("SystemInfo.getProcessInfo")).processInfo.filter(({ type }) => type === "renderer");
  const before = new Map((await renderers()).map(({ id, cpuTime }) => [id, cpuTime]));
  await sleep(300);
  const spent = (await renderers()).map(({ id, cpuTime }) => ({ id, time: cpuTime - (before.get(id) ?? cpuTime) }));
  await session.detach();
  return spent.sort((one, other) => other.time - one.time)[0]!.id;
}

function chromiumTab(page: Page): ChromiumTab {
  const setState = async (state: "frozen" | "active") => {
    const session = await page.context().newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state });
    await session.detach();
  };
  return {
    page,
    run: <R, A>(script: (argument: A) => R | Promise<R>, argument?: A) =>
      page.evaluate(script as (argument: unknown) => R | Promise<R>, argument),
    goto: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    async duplicate() {
      const [opened] = await Promise.all([page.waitForEvent("popup"), page.evaluate(() => void window.open(location.href))]);
      await opened.waitForLoadState();
      return chromiumTab(opened);
    },
    close: () => page.close(),
    async crash(busy) {
      let gone = false;
      const crashed = new Promise<void>((resolve) => page.once("crash", () => resolve())).then(() => {
        gone = true;
      });
      const session = await page.context().newCDPSession(page);
      // Its answer never comes: the process that would give it is gone.
      session.send("Page.crash").catch(() => {});
      // That waits until the page does nothing. Another page may have been busier for a moment.
      while (busy && !gone) {
        process.kill(await busiestRenderer(page.context().browser()!), "SIGKILL");
        await Promise.race([crashed, sleep(500)]);
      }
      await crashed;
    },
    freeze: () => setState("frozen"),
    thaw: () => setState("active"),
  };
}
