import type { Environment } from "../../../src/types/environment.js";
import type { App } from "../app.js";
import { isExact } from "../features/feature.js";
import { SLOW_STORE_STEP, STORE_STEP } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { Grant } from "../server.js";
import { watchCalls } from "./calls.js";
import type { Fault, FaultParts, Opened } from "./fault.js";

type Leaving = "close" | "crash" | "navigation" | "reload" | "cache";

/**
 * A page signs out and is gone, at once or as soon as the promise resolves. R85: no page that opens once the mark has reached storage is
 * signed in with that session, or sends a token of it.
 */
export class SignOutAndLeave implements Fault {
  readonly #parts: FaultParts;
  /** How many pages there were when the mark of a grant's end had reached storage: later pages have higher numbers. */
  readonly #ended = new Map<Grant, number>();

  constructor(parts: FaultParts) {
    this.#parts = parts;
  }

  happen(page: Page): boolean {
    const { browser, dice, gateOf } = this.#parts;
    const { authority, observer, log, clock } = browser;
    const app = page.runs && dice.bool(0.3) ? dice.pick(browser.appsOf(page)) : undefined;
    const grant = app && authority.grantOf(app.session.peekToken());
    // A session without storage has no place to store an end in.
    if (!app || !grant || observer.isAlone(app.id) || gateOf(page).hangs) return false;
    const leaving = dice.weighted<Leaving>([
      ["close", 2],
      ["crash", 1],
      ["navigation", 2],
      ["reload", 2],
      ["cache", 1],
    ]);
    const awaited = dice.bool(0.4);
    const slow = dice.bool(0.3) ? dice.skewed(50, 3_000) : 0;
    const busy = dice.bool(0.3) ? dice.skewed(50, 3_000) : 0;
    log(page.name, `signs out and leaves: ${leaving}${awaited ? ", awaited" : ""}, storage slow for ${slow} ms, busy for ${busy} ms`);
    if (slow > 0) gateOf(page).hang("answers-late", slow);
    const signedOut = this.#signOut(app, grant);
    if (busy > 0) page.block(busy);
    // A page leaves between two tasks.
    const leave = () => clock.after(awaited ? 0 : dice.skewed(0, 50), () => this.#leave(page, leaving));
    if (awaited) signedOut.then(leave, leave);
    else leave();
    return true;
  }

  #signOut(app: App, grant: Grant): Promise<void> {
    const { browser, plan } = this.#parts;
    const { world, clock } = browser;
    const since = clock.monotonic();
    const isRestored = app.session.getSnapshot().status !== "restoring";
    const signedOut = app.signOut();
    // A page that opens within these milliseconds may read before the mark is there.
    clock.after(3 * this.#travel, () => {
      // A page with a wrong clock that left before it had a connection has only a mark in localStorage, whose order is not known. A page in
      // the back/forward cache has closed its connection. The write of another tab meanwhile takes such a mark away.
      const { dead, frozen } = app.page.tab;
      const isOvertaken = world.stores.writes.some(({ tab, at }) => at >= since && tab !== app.page.name);
      if (isRestored || isExact(plan) || !(dead || frozen || isOvertaken)) this.#ended.set(grant, browser.pages.length);
    });
    return signedOut;
  }

  /** Milliseconds for a step of storage. A mark may have to wait for a connection first. */
  get #travel(): number {
    return 1 + (this.#parts.plan.kinds.has("slow-store") ? SLOW_STORE_STEP : STORE_STEP);
  }

  /** A page that opens may sign out in the task that makes its session, which has read nothing then. Its clock may be behind the session's. */
  #signOutUnread(app: App): void {
    const { browser, dice, gateOf } = this.#parts;
    const grant = browser.session && browser.observer.epochs.get(browser.session.epoch)?.grant;
    if (!grant || browser.calm || !app.page.runs || gateOf(app.page).hangs || !dice.bool(0.2)) return;
    browser.log(app.page.name, "signs out before it has read the ledger");
    void this.#signOut(app, grant);
    if (dice.bool(0.5)) browser.clock.after(dice.skewed(0, 50), () => this.#leave(app.page, dice.pick(["close", "crash", "reload"])));
  }

  #leave(page: Page, leaving: Leaving): void {
    const { browser, dice } = this.#parts;
    const later = (milliseconds: number, what: () => void) => {
      browser.clock.after(milliseconds, () => {
        if (!browser.calm && !page.tab.dead) what();
      });
    };
    if (page.tab.dead || browser.calm) return;
    browser.log(page.name, `leaves: ${leaving}`);
    if (leaving === "crash") page.tab.crash();
    else if (leaving === "cache") {
      page.freeze(true);
      later(dice.skewed(100, 60_000), () => (dice.bool(0.5) ? page.thaw() : page.tab.crash()));
    } else if (leaving === "navigation") {
      if (page.runs) page.tab.hide();
      later(dice.whole(0, 50), () => page.close());
    } else page.close();
    if (leaving === "reload" || browser.living().length === 0) browser.clock.after(dice.skewed(20, 2_000), () => browser.open());
  }

  opens({ page }: Opened, environment: Environment): void {
    const { authority, observer } = this.#parts.browser;
    watchCalls(environment, ({ token }) => {
      if (this.#isOver(authority.grantOf(token), page))
        observer.violate("R85", `${page.name} sends ${token} of a session that the user had ended`);
    });
  }

  started(app: App): void {
    const { authority, observer } = this.#parts.browser;
    app.session.subscribe(() => {
      const grant = authority.grantOf(app.session.peekToken());
      if (grant && this.#isOver(grant, app.page))
        observer.violate("R85", `${app.page.name} opens signed in with grant ${grant.id}, which the user had signed out of before`);
    });
    this.#signOutUnread(app);
  }

  #isOver(grant: Grant | undefined, page: Page): boolean {
    const pages = grant && this.#ended.get(grant);
    return pages !== undefined && this.#parts.browser.pages.indexOf(page) >= pages;
  }
}
