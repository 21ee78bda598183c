import { afterEach, describe, expect, it, vi } from "vitest";
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

describe("R58 R76 the origin of a page", () => {
  afterEach(() => vi.unstubAllGlobals());
  const page = (origin: string, address: string) => {
    for (const [name, value] of Object.entries({ document: {}, origin, location: new URL(address), navigator: {} }))
      vi.stubGlobal(name, value);
    return browserEnvironment().origin;
  };

  it("is its own; a frame without an address has that of its parent, a sandboxed one that of its address", () => {
    expect(page("https://app.test", "https://app.test/x")).toBe("https://app.test");
    expect(page("https://app.test", "about:srcdoc")).toBe("https://app.test");
    expect(page("null", "https://app.test/frame")).toBe("https://app.test");
    expect(page("capacitor://localhost", "capacitor://localhost/x")).toBe("capacitor://localhost");
  });
});

describe("browserEnvironment({ … })", () => {
  it("replaces members, and still sees what changes in the page", () => {
    const document = { visibilityState: "visible", baseURI: "https://app.test/orders/" };
    for (const [name, value] of Object.entries({ document, navigator: {}, origin: "https://app.test" })) vi.stubGlobal(name, value);
    const fetch: typeof globalThis.fetch = async () => new Response();
    const environment = browserEnvironment({ fetch });
    Object.assign(document, { visibilityState: "hidden", baseURI: "https://app.test/invoices/" });
    expect(environment).toMatchObject({ fetch, hidden: true, baseUrl: "https://app.test/invoices/", origin: "https://app.test" });
    vi.unstubAllGlobals();
  });
});
