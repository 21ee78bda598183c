import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { Grant } from "../server.js";
import { type Feature, type Got, isExact, type Library, type Write } from "./feature.js";
import { slowest } from "./mixed.js";

interface Limit {
  readonly maxAge: number;
  readonly after: number;
  readonly warnBefore: number;
}

interface Activity {
  readonly page: Page;
  readonly epoch: number;
  readonly at: number;
  readonly interruptions: number;
}

/** Milliseconds between a check of a limit and what follows from it. */
const TOLERANCE = 3_000;
/** Milliseconds within which a tab that runs has written an activity that was due to be written. */
const WRITTEN = 8_000;

/**
 * `maxAge`, the server's `sessionExpiresIn` and `idleLimit`: no session lives on beyond its limit in a tab that runs, none ends for it
 * before, and all tabs are signed out in the end.
 */
class Limits implements Feature {
  readonly likelihood = 0.15;
  readonly #browser: Browser;
  readonly #dice: Dice;
  readonly #exact: boolean;
  readonly #channel: boolean;
  readonly #mixed: boolean;
  readonly #limit: Limit;
  readonly #limits = new Map<Page, Limit>();
  readonly #activities: Activity[] = [];
  /** When somebody was last active in each session, in any tab; true time. */
  readonly #active = new Map<number, number>();
  readonly #staysActive: boolean;
  /** By so much a forged message may move a tab's clock back, so that the tab dates its user's activity earlier (R93). */
  readonly #behind: number;
  /** By so much a tab may take the expiry of a token to be later than it is: an answer may take long. */
  readonly #late: number;
  #awayUntil = 0;

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#dice = dice;
    this.#exact = isExact(plan);
    this.#channel = plan.channel;
    this.#late = slowest(plan).refreshTimeout + TOLERANCE;
    this.#behind = plan.features.has("hostile") ? 15_000 : 0;
    this.#mixed = plan.features.has("mixed-options");
    if (dice.bool(0.4)) browser.authority.sessionSeconds = dice.whole(60, 400);
    this.#limit = this.#draw();
    this.#staysActive = dice.bool(0.5);
  }

  #draw(): Limit {
    const dice = this.#dice;
    const after = dice.bool(0.6) ? dice.whole(20, 100) * 1_000 : Number.POSITIVE_INFINITY;
    const maxAge = after === Number.POSITIVE_INFINITY || dice.bool(0.4) ? dice.whole(60, 400) * 1_000 : Number.POSITIVE_INFINITY;
    return { maxAge, after, warnBefore: after * dice.pick([0, 0.25, 0.5]) };
  }

  #of(page: Page): Limit {
    const limit = this.#limits.get(page) ?? (this.#mixed && this.#dice.bool(0.5) ? this.#draw() : this.#limit);
    this.#limits.set(page, limit);
    return limit;
  }

  options(page: Page, library: Library) {
    const { maxAge, after, warnBefore } = this.#of(page);
    return {
      maxAge: library.maxAge(maxAge),
      ...(after === Number.POSITIVE_INFINITY ? {} : { idle: library.idleLimit({ after, warnBefore }) }),
    };
  }

  happen({ page, session }: Got["app"]): void {
    const now = this.#browser.clock.monotonic();
    if (this.#dice.bool(0.1)) this.#awayUntil = now + this.#dice.whole(10, 120) * 1_000;
    if (now < this.#awayUntil) return;
    this.#touch(page, session);
  }

  #touch(page: Page, session: Got["app"]["session"]): void {
    const { observer, authority, clock, log } = this.#browser;
    log(page.name, "sees its user active");
    const { stored } = observer;
    const grant = authority.grantOf(session.peekToken());
    if (stored?.signedIn) this.#active.set(stored.epoch, clock.now());
    if (stored?.signedIn && grant && grant === observer.epochs.get(stored.epoch)?.grant)
      this.#activities.push({ page, epoch: stored.epoch, at: clock.monotonic(), interruptions: page.interruptions });
    if (this.#dice.bool(0.3)) session.touch();
    else page.tab.activity();
  }

  wrote({ author, before, record }: Write): void {
    const { observer, clock, features, faults } = this.#browser;
    // An end that a script tells is believed, whatever it says of a limit (R93).
    if (!before?.signedIn || record.signedIn || !author || features.isForged(record)) return;
    const { maxAge, after, warnBefore } = this.#of(author.page);
    const early = (end: number) => {
      if (record.committedAt < end)
        observer.violate("limits", `${author.page.name} ended the session with ${record.reason} ${end - record.committedAt} ms early`);
    };
    if (record.reason === "max-age") early(Math.min(before.signedInAt + maxAge, before.endsAt ?? Number.POSITIVE_INFINITY));
    if (record.reason !== "idle") return;
    early((before.lastActivityAt ?? before.signedInAt) + after);
    if (!this.#exact) return;
    for (const { page, epoch, at, interruptions } of this.#activities) {
      const age = clock.monotonic() - at;
      const own = this.#of(page);
      const written = Math.min(30_000, (own.after - own.warnBefore) / 4, (after - warnBefore) / 4) + WRITTEN;
      const counts =
        epoch === before.epoch &&
        !features.writesNothing(page) &&
        // Its activity is in messages alone, which a page that stands still does not hear.
        !faults.hangs(page) &&
        !page.tab.dead &&
        page.interruptions === interruptions &&
        own.after < Number.POSITIVE_INFINITY;
      if (counts && age > written && age < after - TOLERANCE - this.#behind)
        observer.violate("limits", `${author.page.name} ended a session as idle, ${age} ms after ${page.name} saw its user`);
    }
  }

  got({ app, token, undisturbed }: Got): void {
    const { authority, clock, observer, features } = this.#browser;
    const grant = authority.grantOf(token);
    if (!token || !grant || !undisturbed || !this.#exact) return;
    // A tab of an older release ends no session of a newer one: it serves the token until it expires (R86), though the newer
    // release has ended it, where no message tells of that.
    const [epoch] = [...observer.epochs].find(([, session]) => session.grant === grant) ?? [];
    if (features.writesNothing(app.page, epoch) && authority.expiredFor(token) < this.#late) return;
    const end = this.#endOf(grant, this.#of(app.page));
    if (clock.now() > end + TOLERANCE)
      observer.violateIfPromised("limits", `${app.page.name} got a token ${clock.now() - end} ms after the end of its session`);
  }

  /** When the session of this grant is over at the latest, for a tab with these limits. */
  #endOf(grant: Grant, { maxAge, after }: Limit): number {
    const { observer } = this.#browser;
    const [epoch, begun] = [...observer.epochs].find(([, session]) => session.grant === grant) ?? [];
    if (epoch === undefined || !begun) return Number.POSITIVE_INFINITY;
    const { stored } = observer;
    const known = stored?.epoch === epoch ? stored : undefined;
    const active = Math.max(begun.signedInAt, this.#active.get(epoch) ?? 0, known?.lastActivityAt ?? 0);
    return Math.min(begun.signedInAt + maxAge, active + after, known?.endsAt ?? Number.POSITIVE_INFINITY);
  }

  explainsEnd({ reason }: LedgerRecord): boolean {
    return reason === "idle" || reason === "max-age";
  }

  step(): void {
    const [first, ...others] = this.#browser.apps.filter(({ page }) => page.runs);
    if (!this.#staysActive || !first) return;
    // Without a channel, no tab hears that another one is in use.
    for (const { page, session } of this.#channel ? [first] : [first, ...others]) this.#touch(page, session);
  }

  atEnd(apps: readonly Got["app"][]): void {
    const { observer, clock } = this.#browser;
    const { stored } = observer;
    const grant = stored?.signedIn ? observer.epochs.get(stored.epoch)?.grant : undefined;
    if (!grant || !this.#exact) return;
    // A tab of an older release ends no session of a newer one.
    for (const { page, session } of apps.filter((app) => !this.#browser.features.writesNothing(app.page)))
      if (session.getSnapshot().status === "signed-in" && clock.now() > this.#endOf(grant, this.#of(page)) + TOLERANCE)
        observer.violateIfPromised("limits", `${page.name} lives, and the session has not ended at its limit`);
  }
}

export const limits = (browser: Browser, plan: Plan, dice: Dice): Feature => new Limits(browser, plan, dice);
