import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { browserEnvironment } from "../../src/platform/browser.js";
import type { PageSignal } from "../../src/types/environment.js";

/** Remembers what is listened to. */
class Target extends EventTarget {
  readonly listened: string[] = [];
  visibilityState = "visible";
  prerendering: boolean | undefined;
  override addEventListener(type: string, listener: EventListener, options?: { capture?: boolean }): void {
    this.listened.push(type);
    super.addEventListener(type, listener, options);
  }
  override removeEventListener(type: string, listener: EventListener, options?: { capture?: boolean }): void {
    this.listened.splice(this.listened.indexOf(type), 1);
    super.removeEventListener(type, listener, options);
  }
}

describe("what happens to a page", () => {
  let page: Target;
  let window: Target;

  beforeEach(() => {
    page = new Target();
    window = new Target();
    vi.stubGlobal("document", page);
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
  });
  afterEach(() => vi.unstubAllGlobals());

  function listening() {
    const signals: PageSignal[] = [];
    return { signals, stop: browserEnvironment().onPageSignal((signal) => signals.push(signal)) };
  }

  it("R15 comes as one of five signals", () => {
    const { signals } = listening();
    for (const type of ["focus", "online", "pagehide", "pageshow"]) window.dispatchEvent(new Event(type));
    for (const type of ["freeze", "resume", "visibilitychange"]) page.dispatchEvent(new Event(type));
    page.visibilityState = "hidden";
    page.dispatchEvent(new Event("visibilitychange"));
    page.dispatchEvent(new Event("prerenderingchange"));
    expect(signals).toEqual(["wake", "online", "hide", "show", "hide", "show", "wake", "activate"]);
  });

  it("R57 says whether the page is prerendered, at this moment", () => {
    const environment = browserEnvironment();
    expect(environment.prerendering).toBeUndefined();
    page.prerendering = true;
    expect(environment.prerendering).toBe(true);
  });

  it("R11 is never asked of unload or beforeunload, which would keep the page out of the back/forward cache", () => {
    listening();
    expect([...window.listened, ...page.listened].filter((type) => type.includes("unload"))).toEqual([]);
  });

  it("R35 is not listened to any more once that is undone", () => {
    const { signals, stop } = listening();
    expect(window.listened.length + page.listened.length).toBeGreaterThan(0);
    stop();
    window.dispatchEvent(new Event("focus"));
    page.dispatchEvent(new Event("prerenderingchange"));
    expect([window.listened, page.listened, signals]).toEqual([[], [], []]);
  });

  it("R4 a page without locks, channel and database gets an environment all the same", () => {
    vi.stubGlobal("BroadcastChannel", undefined);
    vi.stubGlobal("indexedDB", null);
    expect(browserEnvironment()).toMatchObject({ locks: undefined, openChannel: undefined, openStore: undefined });
  });
});
