import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { Feature, Library, MakeFeature } from "./feature.js";

interface Times {
  readonly refreshTimeout: number;
  readonly takeoverAfter: number;
}

/** The longest times that a tab of this seed may have. */
export const slowest = ({ features, refreshTimeout, takeoverAfter }: Plan): Times =>
  features.has("mixed-options")
    ? { refreshTimeout: Math.max(refreshTimeout, 10_000), takeoverAfter: Math.max(takeoverAfter, 30_000) }
    : { refreshTimeout, takeoverAfter };

/** Tabs with other deadlines in one browser, as those of two releases of an app. `limits` has other limits for them by itself. */
export const mixedOptions: MakeFeature = (_browser, plan, dice) => {
  const times = new Map<Page, Times>();
  const draw = (): Times => {
    if (dice.bool(0.4)) return plan;
    const refreshTimeout = dice.pick([3_000, 5_000, 10_000]);
    return { refreshTimeout, takeoverAfter: dice.pick([refreshTimeout + 1_000, Math.min(3 * refreshTimeout, 30_000), 30_000]) };
  };
  return {
    options(page) {
      const { refreshTimeout, takeoverAfter } = times.get(page) ?? draw();
      times.set(page, { refreshTimeout, takeoverAfter });
      return { refreshTimeout, takeoverAfter };
    },
  };
};

/**
 * Memory mode beside `"indexeddb"`: the tab that signs in decides what is stored (R90). A tab in memory mode that finds tokens stored takes them
 * out, and the tabs that have them keep them.
 */
class MixedPersist implements Feature {
  readonly #browser: Browser;
  readonly #dice: Dice;
  readonly #inMemory = new Map<Page, boolean>();
  /** The sessions whose tokens a page in memory mode found stored as it opened. */
  readonly #found = new Map<Page, number>();
  /** A page of an older release, and one whose storage hangs, may leave the tokens where they are. */
  readonly #exact: boolean;

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#dice = dice;
    this.#exact = !plan.features.has("releases") && !plan.kinds.has("storage-hangs");
  }

  options(page: Page, { memory }: Library) {
    const inMemory = this.#inMemory.get(page) ?? this.#dice.bool(0.4);
    this.#inMemory.set(page, inMemory);
    const { stored } = this.#browser.observer;
    if (inMemory && stored?.tokens) this.#found.set(page, stored.epoch);
    return { persist: inMemory ? memory() : ("indexeddb" as const) };
  }

  keepsInMemory(page: Page): boolean {
    return this.#inMemory.get(page) === true;
  }

  atEnd(): void {
    const { observer } = this.#browser;
    for (const [page, epoch] of this.#found)
      if (this.#exact && !page.tab.dead && observer.stored?.tokens && observer.stored.epoch === epoch)
        observer.violate("P3", `${page.name} is in memory mode, and left the tokens that it found stored`);
  }
}

export const mixedPersist = (browser: Browser, plan: Plan, dice: Dice): Feature => new MixedPersist(browser, plan, dice);
