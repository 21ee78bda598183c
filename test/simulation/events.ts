import type { App } from "./app.js";
import type { Browser, Moment } from "./browser.js";
import type { Dice, Kind, Plan } from "./plan.js";
import { API_URL } from "./platform/network.js";
import type { Page } from "./platform/page.js";
import { signInAs } from "./users.js";

/** Faults that strike one page; the others concern the user, the device or the server. */
const PAGE_KINDS: readonly Kind[] = [
  ...(["hide", "freeze", "freeze-told", "back-forward-cache", "block", "close", "crash", "reload", "offline-tab"] as const),
];

/** Chrome runs the timers of a hidden page once a second, and after five minutes once a minute; a page that is busy all the time is in between. */
const PACES = [
  [1_000, 2],
  [2_600, 2],
  [4_000, 1],
  [60_000, 5],
] as const;

/** What users, apps and mishaps do. Each is drawn when its turn comes, from the plan of the seed. */
export class Events {
  readonly #browser: Browser;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #kinds: readonly (readonly [Kind, number])[];
  readonly #pageKinds: readonly (readonly [Kind, number])[];

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#plan = plan;
    this.#dice = dice;
    this.#kinds = [...plan.kinds];
    this.#pageKinds = this.#kinds.filter(([kind]) => PAGE_KINDS.includes(kind));
    browser.strike = (moment, page) => this.#strike(moment, page);
  }

  /** Somebody signs in, somewhere. */
  login(): void {
    const app = this.#anyApp();
    if (app) this.#signIn(app, 0);
  }

  /** Milliseconds until the next event: often at once, sometimes long enough for tokens to come due. */
  pause(): number {
    const dice = this.#dice;
    return dice.weighted([
      [() => 0, 8],
      [() => dice.whole(1, 30), 28],
      [() => dice.whole(30, 1_000), 44],
      [() => dice.whole(1_000, 5_000), 16],
      [() => dice.whole(5_000, 20_000), 4],
    ])();
  }

  async next(): Promise<void> {
    const dice = this.#dice;
    const app = this.#anyApp();
    if (!app) return void this.#browser.open();
    if (this.#browser.features.happen(app)) return;
    if (dice.bool(0.5)) return this.#use(app);
    await this.#happen(dice.weighted(this.#kinds), app.page);
  }

  /** What the app on a page does. */
  #use(app: App): void {
    const dice = this.#dice;
    const { status } = app.session.getSnapshot();
    if (status === "signed-out" && dice.bool(0.3)) return this.#signIn(app, 0);
    dice.weighted([
      [() => app.getToken(), 10],
      [() => app.getToken(dice.whole(1, 20_000)), 4],
      [() => app.refresh(), 2],
      [() => app.fetch(API_URL), 3],
      [() => void app.session.peekToken(), 1],
    ])();
  }

  #signIn(app: App, subject: number): void {
    signInAs(subject, app, this.#browser, this.#plan);
  }

  #anyApp(): App | undefined {
    const able = this.#browser.apps.filter(({ page }) => page.runs);
    return able.length > 0 ? this.#dice.pick(able) : undefined;
  }

  /** At a telling moment, the tab that it is about, or another one, comes to grief. */
  #strike(moment: Moment, page: Page): void {
    const { calm, clock, log } = this.#browser;
    if (calm || this.#pageKinds.length === 0 || !this.#dice.bool(this.#plan.strikes)) return;
    const victim = this.#dice.bool(0.8) ? page : this.#dice.pick([page, ...this.#browser.living()]);
    const kind = this.#dice.weighted(this.#pageKinds);
    // Not in the middle of a task: a page ends, or stands still, between two.
    clock.after(this.#dice.bool(0.7) ? 0 : this.#dice.skewed(0, 300), () => {
      if (victim.tab.dead || this.#browser.calm) return;
      log(victim.name, `is struck, after ${moment}`);
      void this.#happen(kind, victim);
    });
  }

  async #happen(kind: Kind, page: Page): Promise<void> {
    const browser = this.#browser;
    const dice = this.#dice;
    const { clock, log, network, authority, observer } = browser;
    const { name } = page;
    const later = (milliseconds: number, what: () => void) => {
      clock.after(milliseconds, () => {
        if (!browser.calm && !page.tab.dead) what();
      });
    };
    if (page.tab.dead) return;
    switch (kind) {
      case "hide": {
        if (page.throttled) return;
        const grid = dice.weighted(PACES);
        log(name, `is hidden, its timers throttled to one in ${grid} ms`);
        page.throttle(grid);
        later(dice.skewed(1_000, 180_000), () => {
          log(name, "is shown");
          page.unthrottle();
        });
        break;
      }
      case "freeze":
      case "freeze-told":
      case "back-forward-cache": {
        if (!page.runs) return;
        const told = kind !== "freeze";
        log(name, told ? `is told to hide, and frozen (${kind})` : "is frozen without a word");
        page.freeze(told);
        later(dice.skewed(100, 120_000), () => {
          log(name, "is thawed");
          page.thaw();
        });
        break;
      }
      case "block": {
        const milliseconds = dice.skewed(50, 40_000);
        log(name, `blocks its main thread for ${milliseconds} ms`);
        page.block(milliseconds);
        break;
      }
      case "close":
      case "crash": {
        if (browser.living().length < 2) return;
        log(name, kind === "close" ? "is closed" : "crashes");
        if (kind === "close") page.close();
        else page.tab.crash();
        break;
      }
      case "reload":
        log(name, "is reloaded");
        page.close();
        clock.after(dice.skewed(20, 2_000), () => browser.open());
        break;
      case "open":
        if (browser.living().length >= this.#plan.tabs) return;
        browser.open();
        break;
      case "twin":
        if (browser.appsOf(page).length > 1 || !page.runs) return;
        log(name, "makes a second session of the same name");
        browser.start(page);
        break;
      case "device-sleep": {
        return this.#sleep();
      }
      case "clock-jump": {
        const by = dice.pick([-3_600_000, -60_000, -5_000, 5_000, 60_000, 3_600_000]);
        log("device", `sets its clock by ${by / 1000} s`);
        clock.jump(by);
        break;
      }
      case "offline-tab":
      case "offline-device": {
        const until = dice.skewed(500, 40_000);
        log(kind === "offline-tab" ? name : "device", `is offline for ${until} ms`);
        if (kind === "offline-tab") network.offlinePages.add(page);
        else network.offline = true;
        clock.after(until, () => this.#online(kind === "offline-tab" ? page : undefined));
        break;
      }
      case "sign-out": {
        const app = dice.pick(browser.appsOf(page));
        if (!page.runs || app.session.getSnapshot().status !== "signed-in") return;
        void app.signOut();
        break;
      }
      case "sign-in-other": {
        if (!page.runs || !dice.bool(0.4)) return;
        this.#signIn(dice.pick(browser.appsOf(page)), dice.whole(0, 1));
        break;
      }
      case "api-refuses":
        log("server", "no longer takes the access tokens given out so far");
        authority.refuseAll();
        break;
      case "revoked": {
        const grant = observer.stored && observer.epochs.get(observer.stored.epoch)?.grant;
        if (!grant || !dice.bool(0.3)) return;
        log("server", `revokes grant ${grant.id}`);
        grant.revoked = true;
        break;
      }
      default:
        if (!browser.faults.happen(kind, page)) return;
    }
    browser.note(kind);
  }

  /** The lid is closed: the rest of the world goes on. Only between two events, since it moves the clock itself. */
  async #sleep(): Promise<void> {
    const { clock, log } = this.#browser;
    const milliseconds = this.#dice.skewed(1_000, 300_000);
    log("device", `sleeps for ${Math.round(milliseconds / 1000)} s`);
    const awake = this.#browser.living();
    for (const page of awake) page.fallAsleep();
    await clock.sleep(milliseconds, { counted: this.#dice.bool(0.3) });
    for (const page of awake) page.wakeUp();
    this.#browser.note("device-sleep");
    for (const page of awake) if (this.#dice.bool(0.7)) page.signal("wake");
  }

  #online(page?: Page): void {
    const { network } = this.#browser;
    if (page) network.offlinePages.delete(page);
    else network.offline = false;
    for (const heard of page ? [page] : this.#browser.living()) heard.signal("online");
  }

  /** Faults stop: everybody is awake, in sight and online. */
  end(): void {
    const browser = this.#browser;
    browser.calm = true;
    browser.log("world", "calms down");
    for (const page of browser.living()) {
      page.thaw();
      page.unthrottle();
    }
    browser.network.offlinePages.clear();
    browser.faults.end();
    this.#online();
  }
}
