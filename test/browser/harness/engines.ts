import type { Browser } from "./browser.js";
import { launch as launchChromium } from "./chromium.js";
import { launchFirefox } from "./firefox.js";
import { launchWebKit } from "./webkit.js";

const launchers: Record<string, () => Promise<Browser>> = { chromium: launchChromium, firefox: launchFirefox, webkit: launchWebKit };

/** Starts the engine that the project of `vitest.config.ts` names; throws a sentence that says what to install when it is not there. */
export function launch(): Promise<Browser> {
  const engine = process.env.TOKENTIDE_ENGINE ?? "chromium";
  const start = launchers[engine];
  if (!start) throw new Error(`TOKENTIDE_ENGINE is ${engine}; it can be ${Object.keys(launchers).join(", ")}`);
  return start();
}
