import type { Environment, PageSignal } from "../../../src/types/environment.js";
import { API_URL } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import { watchCalls } from "./calls.js";
import type { Fault, FaultParts, Opened } from "./fault.js";

const LONGEST = 60_000;
/** The signal of an activated page. */
const ACTIVATE = "activate" as PageSignal;

/**
 * A page opens before the user visits it, and is activated or thrown away. R57: until then it renews nothing and steals no lock; its promises
 * have their whole time after the activation (P5), and what is due by then is done (P4).
 */
export class Prerender implements Fault {
  readonly #parts: FaultParts;

  constructor(parts: FaultParts) {
    this.#parts = parts;
  }

  happen(): boolean {
    const { browser, plan, dice } = this.#parts;
    if (browser.living().length > plan.tabs) return false;
    const milliseconds = dice.skewed(100, LONGEST);
    const kept = dice.bool(0.7);
    const page = browser.open((next) => next.prerender());
    browser.log(page.name, `is prerendered, for ${milliseconds} ms`);
    for (let calls = dice.whole(0, 4); calls > 0; calls -= 1) browser.clock.after(dice.whole(0, milliseconds), () => this.#call(page));
    browser.clock.after(milliseconds, () => {
      if (page.tab.dead || !page.prerendering) return;
      browser.log(page.name, kept ? "is activated" : "is thrown away");
      if (kept) this.#activate(page);
      else page.tab.crash();
    });
    return true;
  }

  #call(page: Page): void {
    const { browser, dice } = this.#parts;
    const app = page.runs && !browser.calm ? browser.appsOf(page)[0] : undefined;
    if (!app) return;
    if (dice.bool(0.6)) app.getToken(dice.bool(0.3) ? dice.whole(1, 60_000) : 0);
    else app.fetch(API_URL);
  }

  #activate(page: Page): void {
    page.activate();
    page.signal(ACTIVATE);
  }

  opens({ page }: Opened, environment: Environment): void {
    const { observer } = this.#parts.browser;
    Object.defineProperty(environment, "prerendering", { get: () => page.prerendering });
    watchCalls(environment, ({ renews }) => {
      if (renews && page.prerendering) observer.violate("R57", `${page.name} sends a refresh before anybody has seen it`);
    });
    const { locks } = environment;
    if (!locks) return;
    const request = (name: string, options: LockOptions, granted: LockGrantedCallback<unknown>) => {
      if (options.steal && page.prerendering) observer.violate("R57", `${page.name} steals a lock before anybody has seen it`);
      return locks.request(name, options, granted);
    };
    environment.locks = { request: request as LockManager["request"] };
  }

  end(): void {
    for (const page of this.#parts.browser.living()) if (page.prerendering) this.#activate(page);
  }
}
