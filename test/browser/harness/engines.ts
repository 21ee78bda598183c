import type { Browser } from "./browser.js";
import { launch as launchChromium } from "./chromium.js";
import { firefoxPath, launchFirefox } from "./firefox.js";
import { launchWebKit, webkitPath } from "./webkit.js";

export const engines = ["chromium", "firefox", "webkit"] as const;
export type Engine = (typeof engines)[number];

/** The one that the scenarios run in; a project of `vitest.config.ts` for each. */
export const engine = (process.env.TOKENTIDE_ENGINE ?? "chromium") as Engine;

/** Chromium is never missing: where there is none, its launch says what to install. */
export const isInstalled: Record<Engine, () => boolean> = {
  chromium: () => true,
  firefox: () => firefoxPath() !== undefined,
  webkit: () => webkitPath() !== undefined,
};

export function launch(): Promise<Browser> {
  return { chromium: launchChromium, firefox: launchFirefox, webkit: launchWebKit }[engine]();
}
