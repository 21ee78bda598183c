import type { App } from "../app.js";
import type { Page } from "../platform/page.js";
import type { Fault, FaultParts, Opened } from "./fault.js";
import type { OnUse } from "./gate.js";

/** The session waits for so long, while its page is awake, before it goes on without storage. */
const UNKNOWN = 10_000;
/** A part of the wait counts as awake if its timer is at most a quarter of a second late. */
const TOLERANCE = 1_000;
const LONGEST = 15_000;

/**
 * A page opens whose storage is slow. R87: no guard sees a session signed out that is signed in by what is stored. `asleep`: the page also
 * stands still meanwhile, and that time does not count.
 */
export class SlowOpening implements Fault {
  readonly #parts: FaultParts;
  readonly #asleep: boolean;
  /** The sessions that storage has answered. */
  readonly #answered = new Set<string>();

  constructor(parts: FaultParts, asleep: boolean) {
    this.#parts = parts;
    this.#asleep = asleep;
  }

  happen(page: Page): boolean {
    const { browser, plan, dice, gateOf } = this.#parts;
    if (browser.living().length >= plan.tabs) {
      if (!dice.bool(0.3)) return false;
      browser.log(page.name, "is reloaded");
      page.close();
    }
    const milliseconds = dice.whole(500, LONGEST);
    const opened = browser.open((next) => gateOf(next).hang("answers-late", milliseconds));
    browser.log(opened.name, `has storage that is slow for ${milliseconds} ms`);
    if (this.#asleep) browser.clock.after(dice.whole(0, milliseconds), () => this.#standStill(opened));
    return true;
  }

  #standStill(page: Page): void {
    const { browser, dice } = this.#parts;
    if (!page.runs || browser.calm) return;
    const milliseconds = dice.whole(500, 2 * LONGEST);
    browser.log(page.name, `stands still for ${milliseconds} ms`);
    if (dice.bool(0.5)) return page.block(milliseconds);
    page.freeze(false);
    browser.clock.after(milliseconds, () => page.thaw());
  }

  onUse({ name }: Opened): OnUse {
    return () => () => this.#answered.add(name());
  }

  started(app: App): void {
    const { stored } = this.#parts.browser.observer;
    const opened = { at: this.#time(app), epoch: stored?.signedIn ? stored.epoch : undefined };
    let decided = false;
    const look = () => {
      const { status, reason } = app.session.getSnapshot();
      if (decided || app.page.tab.dead || status === "restoring") return;
      decided = true;
      if (status === "signed-out") this.#judge(app, reason, opened);
    };
    app.session.subscribe(look);
    void app.session.ready.then(look);
  }

  /** The first thing that a guard sees is that nobody is signed in. */
  #judge(app: App, reason: string | undefined, { at, epoch }: { at: number; epoch: number | undefined }): void {
    const { browser, plan } = this.#parts;
    const { observer } = browser;
    if (app.hasSignedOut) return;
    // It has been in use, and storage did not answer that either.
    if (observer.isAlone(app.id) && reason !== "storage-unavailable") return;
    const waited = this.#time(app) - at;
    const { name } = app.page;
    if (reason === "storage-unavailable") {
      if (waited < UNKNOWN - TOLERANCE) observer.violate("R87", `${name} goes on without storage after ${waited} ms`);
    } else if (!this.#answered.has(app.id)) {
      observer.violate("R87", `${name} says signed-out (${reason}) before storage has answered`);
    } else if (plan.mode !== "memory" && epoch !== undefined && browser.session?.epoch === epoch && observer.stored?.tokens) {
      observer.violate("R87", `${name} says signed-out (${reason}), and the stored session is signed in`);
    }
  }

  #time({ page }: App): number {
    return this.#asleep ? page.running() : this.#parts.browser.clock.monotonic();
  }
}
