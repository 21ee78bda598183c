import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import type { Exchange } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import { type Feature, isExact, type Library, type Write } from "./feature.js";
import * as today from "./library.js";
import * as other from "./other-release.js";

/** A record whose tokens are bound to a key has half a number more. */
const formatOf = (record: LedgerRecord | undefined): number => Math.floor(record?.format ?? 1);
/** A member that the other release may write, and that this one does not know. */
const flavourOf = (record: LedgerRecord & { readonly flavour?: unknown }): unknown => record.flavour;

/** An answer may be on its way for so long beyond its deadline, and its token counts from the request on. */
const TOLERANCE = 2_000;

/**
 * Two releases of the library side by side, half of the tabs each (R86). The older one never writes over a record of a newer format, and never
 * renews its session. There, it need not have a good token in the end; but it is signed in, and hands out no expired token. Members that a
 * release does not know survive its writes while the epoch stays.
 */
class Releases implements Feature {
  readonly #browser: Browser;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #others = new Map<Page, boolean>();
  /** The format of the last record of each session. */
  readonly #formats = new Map<number, number>();

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#plan = plan;
    this.#dice = dice;
  }

  library(page: Page): Library {
    const isOther = this.#others.get(page) ?? this.#dice.bool(0.5);
    if (!this.#others.has(page)) this.#browser.log(page.name, isOther ? "runs the other release" : "runs this release");
    this.#others.set(page, isOther);
    return isOther ? other : today;
  }

  wrote({ page, before, record }: Write): void {
    const { observer } = this.#browser;
    this.#formats.set(record.epoch, formatOf(record));
    if (formatOf(before) > this.library(page).FORMAT)
      observer.violate("release", `${page.name} wrote over a record of format ${formatOf(before)}`);
    else if (before && record.epoch === before.epoch && flavourOf(before) !== undefined && flavourOf(record) === undefined)
      observer.violate("release", `${page.name} dropped a member that it does not know`);
  }

  sending({ page, token }: Exchange): void {
    const { authority, observer } = this.#browser;
    const { stored } = observer;
    if (!stored || !this.writesNothing(page)) return;
    const grant = authority.grantOf(token);
    if (grant && grant === observer.epochs.get(stored.epoch)?.grant)
      observer.violate("release", `${page.name} renews a session of format ${formatOf(stored)}`);
  }

  excuses({ page, session }: App): boolean {
    const { authority, session: stored } = this.#browser;
    if (!stored || !this.writesNothing(page) || session.getSnapshot().status !== "signed-in") return false;
    const token = session.peekToken();
    return !token || !isExact(this.#plan) || authority.expiredFor(token) < this.#plan.refreshTimeout + TOLERANCE;
  }

  /** Whether the stored record is of a later format than the release of a page, or the last record of the session of an epoch was. */
  writesNothing(page: Page, epoch?: number): boolean {
    const format = (epoch !== undefined && this.#formats.get(epoch)) || formatOf(this.#browser.observer.stored);
    return format > this.library(page).FORMAT;
  }
}

export const releases = (browser: Browser, plan: Plan, dice: Dice): Feature => new Releases(browser, plan, dice);
