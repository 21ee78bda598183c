import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { Feature, Got, Library } from "./feature.js";

export const AUDIENCES = ["https://one.example.test", "https://two.example.test"] as const;

/** The pause after failures is a minute at most, then comes one refresh for each audience. */
const STEPS = 20;
const STEP = 10_000;

/** Further APIs with the same refresh token: each token is its audience's, and in the end every tab can have one for each that was asked for. */
class AudiencesFeature implements Feature {
  readonly likelihood = 0.2;
  readonly #browser: Browser;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #asked = new Set<string>();

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#plan = plan;
    this.#dice = dice;
  }

  options(_page: Page, library: Library) {
    return { audiences: library.audiences(Object.fromEntries(AUDIENCES.map((name) => [name, {}]))) };
  }

  happen(app: App): void {
    const dice = this.#dice;
    const audience = dice.pick(AUDIENCES);
    this.#asked.add(audience);
    dice.weighted([
      [() => app.getToken(0, audience), 3],
      [() => app.getToken(dice.whole(1, 20_000), audience), 2],
      [() => app.fetch(`${audience}/items`), 2],
    ])();
  }

  got({ app, token, audience = "" }: Got): void {
    const known = this.#browser.authority.audienceOf(token ?? "");
    if (token && known !== undefined && known !== audience)
      this.#browser.observer.violate("audience", `${app.page.name} got a token of ${known || "the API"} for ${audience || "the API"}`);
  }

  /** P4 for each audience: a failed attempt may have to be waited for. */
  async atEnd(apps: readonly App[]): Promise<void> {
    const { clock, observer } = this.#browser;
    let lacking = apps.flatMap((app) => [...this.#asked].map((audience) => ({ app, audience })));
    for (let step = 0; step < STEPS && lacking.length > 0; step += 1) {
      const answers = lacking.map(({ app, audience }) => this.#isGood(app, audience));
      this.#browser.features.step();
      await clock.advance(STEP + 2 * this.#plan.refreshTimeout);
      const good = await Promise.all(answers.map((answer) => Promise.race([answer, false])));
      lacking = lacking.filter((_, index) => !good[index]);
    }
    for (const { app, audience } of lacking)
      if (!this.#browser.features.excuses(app)) observer.violateIfPromised("P4", `${app.page.name} has no good token for ${audience}`);
  }

  /** Whether a tab that is signed in gets a token that this API takes. */
  async #isGood({ session, page }: App, audience: string): Promise<boolean> {
    const { authority, observer, session: stored } = this.#browser;
    const grant = stored && observer.epochs.get(stored.epoch)?.grant;
    // Without a good grant, or with its owner gone, there is none to be had.
    if (this.#plan.store && (!grant || grant.revoked)) return true;
    if (session.getSnapshot().status !== "signed-in") return true;
    const token = await session.getToken({ audience }).catch(() => "");
    if (token === null) return true;
    return !page.tab.dead && authority.accepts(token, audience);
  }
}

export const audiences = (browser: Browser, plan: Plan, dice: Dice): Feature => new AudiencesFeature(browser, plan, dice);
