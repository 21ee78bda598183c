import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { Feature, MakeFeature } from "./feature.js";

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

/** `persist: "memory"` beside `"indexeddb"`: no tab takes the refresh token out of what is stored (R90), which the observer sees. */
class MixedPersist implements Feature {
  readonly #dice: Dice;
  readonly #persist = new Map<Page, "memory" | "indexeddb">();

  constructor(_browser: Browser, _plan: Plan, dice: Dice) {
    this.#dice = dice;
  }

  options(page: Page) {
    const persist = this.#persist.get(page) ?? (this.#dice.bool(0.4) ? "memory" : "indexeddb");
    this.#persist.set(page, persist);
    return { persist };
  }

  keepsInMemory(page: Page): boolean {
    return this.#persist.get(page) === "memory";
  }
}

export const mixedPersist = (browser: Browser, plan: Plan, dice: Dice): Feature => new MixedPersist(browser, plan, dice);
