import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import { type Dice, NETWORK_KINDS, type Plan } from "../plan.js";
import { type Answer, API_URL, type Exchange } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import { AUDIENCES } from "./audiences.js";
import { type ApiAnswer, type Feature, isExact } from "./feature.js";

/** A renewal that was begun already, and one for a token that the session had before. */
const SLACK = 2;
const PACE = [1_000, 4_000, 16_000, 60_000];

/** How many attempts there may be in so many milliseconds, with these pauses between them; the last one goes on. */
function mostIn(milliseconds: number, pauses: readonly number[]): number {
  let count = 1;
  for (let left = milliseconds; ; count += 1) {
    left -= pauses[Math.min(count, pauses.length) - 1] as number;
    if (left < 0) return count;
  }
}

/** A time in which a server refuses, and what happened in it that may explain a further attempt. */
class Trouble {
  readonly exchanges: Exchange[] = [];
  readonly #browser: Browser;
  readonly #begun: number;
  readonly #before: number;
  #until: number;
  #over = false;

  constructor(browser: Browser, milliseconds: number) {
    this.#browser = browser;
    this.#begun = browser.clock.monotonic();
    this.#until = this.#begun + milliseconds;
    this.#before = this.#mishaps();
  }

  /** Pages that stood still or ended, sign-ins, lost answers, and whoever came back online. */
  #mishaps(): number {
    const { pages, authority, happened } = this.#browser;
    const online = (happened.get("offline-tab") ?? 0) + 5 * (happened.get("offline-device") ?? 0);
    const lost = NETWORK_KINDS.reduce((sum, kind) => sum + (happened.get(kind) ?? 0), 0);
    return pages.reduce((sum, { interruptions }) => sum + interruptions, 0) + pages.length + authority.grants.length + online + lost;
  }

  get stands(): boolean {
    return !this.#over && this.#browser.clock.monotonic() < this.#until;
  }

  /** The end of the faults ends it, too. Calls `judge` once, with its milliseconds and the excuses. */
  end(judge: (lasted: number, excuses: number) => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#until = Math.min(this.#until, this.#browser.clock.monotonic());
    judge(this.#until - this.#begun, this.#mishaps() - this.#before);
  }
}

/** One address of an API refuses every token for a while: the renewals for it keep the pace of R49, in all tabs together. */
class Refusal implements Feature {
  readonly likelihood = 0.2;
  readonly #browser: Browser;
  readonly #dice: Dice;
  readonly #judges: boolean;
  readonly #audience: string;
  readonly #url: string;
  #trouble: Trouble | undefined;

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#dice = dice;
    this.#audience = plan.features.has("audiences") && dice.bool(0.5) ? AUDIENCES[0] : "";
    this.#url = new URL("/broken", this.#audience || API_URL).href;
    this.#judges = isExact(plan) && !(this.#audience && plan.mode === "memory");
  }

  happen(app: App): void {
    const { log } = this.#browser;
    if (!this.#trouble && this.#dice.bool(0.1)) {
      const milliseconds = this.#dice.whole(5, 300) * 1_000;
      this.#trouble = new Trouble(this.#browser, milliseconds);
      log("server", `answers 401 at ${this.#url} for ${milliseconds / 1000} s`);
    }
    app.fetch(this.#url);
  }

  api(_page: Page, url: string): ApiAnswer | undefined {
    return url === this.#url && this.#trouble?.stands ? { status: 401 } : undefined;
  }

  sending(exchange: Exchange): void {
    if (this.#trouble?.stands && exchange.audience === this.#audience) this.#trouble.exchanges.push(exchange);
    else this.#end();
  }

  step(): void {
    this.#end();
  }

  #end(): void {
    const { observer } = this.#browser;
    const trouble = this.#trouble;
    if (!trouble || (trouble.stands && !this.#browser.calm)) return;
    trouble.end((lasted, mishaps) => {
      const cured = trouble.exchanges.filter(({ cause, rotated, deliveredAt }) => cause === "unauthorized" && rotated && deliveredAt);
      const others = trouble.exchanges.length - cured.length;
      const most = SLACK + mostIn(lasted, PACE) + others + mishaps;
      if (this.#judges && cured.length > most)
        observer.violateIfPromised(
          "pace",
          `${cured.length} renewals for an API that refuses all tokens for ${lasted} ms, instead of ${most}`,
        );
    });
  }
}

export const refusal = (browser: Browser, plan: Plan, dice: Dice): Feature => new Refusal(browser, plan, dice);

/** The token endpoint asks to try again at once, and refuses for a while: calls and scheduler keep the pace of a failure (R64). */
class RetryAtOnce implements Feature {
  readonly likelihood = 0.02;
  readonly #browser: Browser;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #refused = new Set<Exchange>();
  #trouble: Trouble | undefined;

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#plan = plan;
    this.#dice = dice;
  }

  happen(): void {
    if (this.#trouble) return;
    const milliseconds = this.#dice.whole(5, 120) * 1_000;
    this.#trouble = new Trouble(this.#browser, milliseconds);
    this.#browser.log("server", `answers 429 with Retry-After: 0 for ${milliseconds / 1000} s`);
  }

  instead(exchange: Exchange): Answer | undefined {
    if (!this.#trouble?.stands || this.#browser.calm) return undefined;
    this.#refused.add(exchange);
    return { status: 429, retryAfter: 0 };
  }

  sending(exchange: Exchange): void {
    if (this.#trouble?.stands) this.#trouble.exchanges.push(exchange);
    else this.#end();
  }

  step(): void {
    this.#end();
  }

  #end(): void {
    const { observer } = this.#browser;
    const trouble = this.#trouble;
    if (!trouble || (trouble.stands && !this.#browser.calm)) return;
    trouble.end((lasted, mishaps) => {
      const lifetime = this.#plan.accessSeconds * 1_000;
      const scheduled = 0.7 * Math.min(105_000, lifetime / 4);
      const most = SLACK + mostIn(lasted, [1_000, ...PACE.slice(1).map((pause) => Math.min(pause, scheduled)), scheduled]) + mishaps;
      for (const audience of new Set(trouble.exchanges.map((exchange) => exchange.audience))) {
        const own = trouble.exchanges.filter((exchange) => exchange.audience === audience);
        const paced = own.filter((exchange) => exchange.cause !== "requested" && this.#refused.has(exchange));
        if (isExact(this.#plan) && paced.length > most)
          observer.violateIfPromised("pace", `${paced.length} attempts in ${lasted} ms of Retry-After: 0, instead of ${most}`);
      }
    });
  }
}

export const retryAtOnce = (browser: Browser, plan: Plan, dice: Dice): Feature => new RetryAtOnce(browser, plan, dice);
