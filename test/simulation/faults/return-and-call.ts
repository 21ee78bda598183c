import type { Environment, PageSignal } from "../../../src/types/environment.js";
import type { App } from "../app.js";
import { API_URL } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import type { Grant } from "../server.js";
import { signInAs } from "../users.js";
import { watchCalls } from "./calls.js";
import type { Fault, FaultParts, Opened } from "./fault.js";

/** A change that was stored less than this before the return may be unknown there. */
const TRAVEL = 1_000;
/** A call waits for the ledger for so long, and then goes as known. */
const READ = 1_000;
/** For so long after `hide`, a session that has not heard of a return takes a call for one of a page that leaves. */
const LEAVING = 1_000;
const LONGEST = 60_000;

/**
 * A page returns from the back/forward cache, and its app calls the API in the very task of the signal: after the session hears of it, and
 * before, if the page was away for more than a second. R55: the API gets no bearer of a session that the user has ended, and none of a former user.
 */
export class ReturnAndCall implements Fault {
  readonly #parts: FaultParts;
  /** When each page that is to call has returned; undefined before that. */
  readonly #returns = new Map<Page, number | undefined>();
  /** When each page last heard that it is left. */
  readonly #left = new Map<Page, number>();
  /** When each grant was ended by its user, or replaced by another user. */
  readonly #over = new Map<Grant, number>();

  constructor(parts: FaultParts) {
    this.#parts = parts;
    const { observer, world } = parts.browser;
    const { onWrite } = world.stores;
    world.stores.onWrite = (write) => {
      const before = observer.stored;
      onWrite(write);
      const { stored: after, epochs } = observer;
      if (!before?.signedIn || before.epoch === after?.epoch) return;
      const ended = epochs.get(before.epoch)?.grant;
      const begun = after?.signedIn ? epochs.get(after.epoch)?.grant : undefined;
      if (ended && (begun ? begun.subject !== ended.subject : after?.reason === "user"))
        this.#over.set(ended, parts.browser.clock.monotonic());
    };
  }

  happen(page: Page): boolean {
    const { browser, dice } = this.#parts;
    const { clock, log } = browser;
    if (!page.runs) return false;
    log(page.name, "goes into the back/forward cache, and is to call as it returns");
    page.freeze(true);
    this.#returns.set(page, undefined);
    const away = dice.skewed(500, LONGEST);
    clock.after(dice.whole(0, away), () => {
      if (!browser.calm && !page.tab.dead) this.#meanwhile();
    });
    clock.after(away, () => {
      log(page.name, "returns from the cache");
      page.thaw();
    });
    return true;
  }

  /** Somebody signs out, or in, in another page. */
  #meanwhile(): void {
    const { browser, plan, dice } = this.#parts;
    const others = browser.apps.filter(({ page }) => page.runs);
    if (others.length === 0) return void browser.open();
    const app = dice.pick(others);
    if (dice.bool(0.5) && app.session.getSnapshot().status === "signed-in") void app.signOut();
    else if (dice.bool(0.7)) signInAs(dice.whole(0, 1), app, browser, plan);
  }

  opens({ page, name }: Opened, environment: Environment): void {
    const { browser } = this.#parts;
    const { authority, observer, clock } = browser;
    watchCalls(environment, ({ url, renews, token }) => {
      const returnedAt = this.#returns.get(page);
      const grant = renews ? undefined : authority.grantOf(token);
      if (!grant || returnedAt === undefined || !url.endsWith("?returned")) return;
      const over = this.#over.get(grant);
      const early = clock.monotonic() - returnedAt < READ;
      if (over !== undefined && over + TRAVEL < returnedAt && early && !observer.isAlone(name()))
        observer.violate("R55", `${page.name} returns and sends ${token}, whose session was over ${returnedAt - over} ms before`);
    });
    // Before the session's own listener: the app's module listened first.
    environment.onPageSignal((signal) => this.#signal(page, signal));
  }

  started(app: App): void {
    app.page.environment.onPageSignal((signal) => this.#signal(app.page, signal, app));
  }

  /** `heard`: the app whose session has heard the signal. */
  #signal(page: Page, signal: PageSignal, heard?: App): void {
    const { browser } = this.#parts;
    const now = browser.clock.monotonic();
    if (signal === "hide") this.#left.set(page, now);
    if (signal !== "show" || !this.#returns.has(page)) return;
    if (heard) {
      heard.fetch(`${API_URL}?returned`);
      browser.clock.after(READ, () => {
        if (this.#returns.get(page) === now) this.#returns.delete(page);
      });
      return;
    }
    this.#returns.set(page, now);
    if (now - (this.#left.get(page) ?? 0) > LEAVING) for (const app of browser.appsOf(page)) app.fetch(`${API_URL}?returned`);
  }
}
