import type { Verdict } from "../../../src/types/index.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import { HEADER } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import type { ApiAnswer, Feature, FeatureOptions, Library, MakeFeature, Write } from "./feature.js";

/** `renewOnOpen`, and pages that let their token lapse while nobody sees them; some open unseen (R91). */
export const opening: MakeFeature = (browser, { refreshTimeout }, dice) => {
  const options = dice.pick<FeatureOptions>([
    { renewOnOpen: true },
    { renewWhileHidden: false },
    { renewOnOpen: true, renewWhileHidden: false },
  ]);
  /** A refresh that was wanted while the page was seen may come so much later. */
  const wanted = 2 * refreshTimeout + 5_000 + 60_000;
  return {
    options(page) {
      if (browser.appsOf(page).length === 0 && !browser.calm && dice.bool(0.2)) {
        browser.log(page.name, "opens unseen");
        page.throttle(1_000);
        browser.clock.after(dice.skewed(1_000, 120_000), () => page.unthrottle());
      }
      return options;
    },
    sending({ page, cause, audience }) {
      const since = page.hiddenFor();
      const unseen = since >= page.age() || since > wanted;
      if (options.renewWhileHidden === false && cause === "due" && !audience && page.throttled && unseen)
        browser.observer.violate("hidden", `${page.name} renews ahead of expiry, hidden for ${since} ms`);
    },
  };
};

/** Answers of the API that carry a later token, now and then, and may come late: it is stored in the session of its own grant, and nowhere else. */
class RenewalHeader implements Feature {
  readonly #browser: Browser;
  readonly #memory: boolean;
  readonly #byCookie: boolean;
  readonly #dice: Dice;
  readonly #given = new Set<string>();
  /** A login may replace the cookie long before storage takes the session that goes with it. */
  readonly #cannotTell: boolean;

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#byCookie = plan.mode === "cookie";
    this.#cannotTell = this.#byCookie && plan.kinds.has("storage-hangs");
    this.#memory = plan.mode === "memory";
    this.#dice = dice;
  }

  options(_page: Page, library: Library) {
    return { renewalHeader: library.renewalHeader(HEADER) };
  }

  api(_page: Page, url: string, bearer: string | undefined): ApiAnswer {
    const { authority, calm } = this.#browser;
    const dice = this.#dice;
    if (calm || !bearer || !authority.accepts(bearer, authority.audienceOf(bearer)) || !url.includes("api.") || !dice.bool(0.4)) return {};
    const header = authority.later(bearer);
    if (!header) return {};
    this.#given.add(header);
    return { header, later: dice.skewed(0, 5_000) };
  }

  isNoRefresh({ before, record }: Write): boolean {
    const token = record.tokens?.accessToken;
    if (token) return this.#given.has(token) && token !== before?.tokens?.accessToken;
    // Where tokens are in no record: what no lease has brought.
    return (this.#memory || !!record.inMemory) && this.#given.size > 0 && !before?.refreshing && record.fence === before?.fence;
  }

  wrote({ page, before, record }: Write): void {
    const { authority, observer } = this.#browser;
    const token = record.tokens?.accessToken;
    if (this.#cannotTell || !token || !this.#given.has(token) || token === before?.tokens?.accessToken) return;
    const [given, known] = [authority.grantOf(token), observer.epochs.get(record.epoch)?.grant];
    // Or the session has renewed by the new cookie before it, while the storage of the tab that has signed in was slow.
    if (this.#byCookie && given === authority.grantOf(before?.tokens?.accessToken)) return;
    if (given && known && given !== known)
      observer.violate("P3", `${page.name} stored a header's token of grant ${given.id} in the session of grant ${known.id}`);
  }
}

export const renewalHeader = (browser: Browser, plan: Plan, dice: Dice): Feature => new RenewalHeader(browser, plan, dice);

/** An app that reads the API's answers by itself: slowly, with mistakes, and seldom so that the session ends. */
class Classify implements Feature {
  readonly #browser: Browser;
  readonly #dice: Dice;

  constructor(browser: Browser, _plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#dice = dice;
  }

  options(page: Page): FeatureOptions {
    return { classify: ({ response }) => this.#classify(page, response) };
  }

  async #classify(page: Page, response: Response | undefined): Promise<Verdict> {
    const dice = this.#dice;
    const usual = response?.status === 401 ? "refresh" : "ok";
    if (this.#browser.calm) return usual;
    // The body comes by the network.
    if (dice.bool(0.3)) await new Promise<void>((resolve) => page.tab.post("network", dice.skewed(0, 2_500), resolve));
    return dice.weighted<() => Verdict>([
      [() => usual, 80],
      [() => "refresh", 8],
      [() => this.#fail(), 10],
      [() => this.#end(), 2],
    ])();
  }

  #fail(): never {
    throw new TypeError("the app cannot read this");
  }

  #end(): Verdict {
    const { observer } = this.#browser;
    const grant = observer.stored && observer.epochs.get(observer.stored.epoch)?.grant;
    if (grant) grant.signedOut = true;
    return "sign-out";
  }
}

export const classify = (browser: Browser, plan: Plan, dice: Dice): Feature => new Classify(browser, plan, dice);
