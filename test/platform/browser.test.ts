import { describe, expect, it } from "vitest";
import { browserEnvironment } from "../../src/platform/browser.js";

describe("the environment in Node", () => {
  it("R36 shares nothing: no locks, no channel, no storage, no origin, no signals", () => {
    const environment = browserEnvironment();
    expect([environment.locks, environment.openChannel, environment.openStore, environment.origin]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    environment.onPageSignal(() => {})();
  });

  it("R36 has a clock, chance and timers that do not keep the process alive", () => {
    const environment = browserEnvironment();
    expect(Math.abs(environment.now() - Date.now())).toBeLessThan(1_000);
    expect(environment.monotonic()).toBeGreaterThan(0);
    expect(environment.random()).toBeLessThan(1);
    const timer = environment.setTimeout(() => {}, 60_000) as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    environment.clearTimeout(timer);
  });
});
