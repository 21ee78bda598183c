import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import { Dice, type Plan } from "../plan.js";
import type { Answer, Exchange } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import type { Grant } from "../server.js";
import { audiences } from "./audiences.js";
import { dpop } from "./dpop.js";
import type { ApiAnswer, Feature, FeatureOptions, Got, Library, MakeFeature, Write } from "./feature.js";
import { hostile } from "./hostile.js";
import * as today from "./library.js";
import { limits } from "./limits.js";
import { mixedOptions, mixedPersist } from "./mixed.js";
import { FEATURES, type FeatureName } from "./names.js";
import { refusal, retryAtOnce } from "./refusal.js";
import { releases } from "./releases.js";
import { classify, opening, renewalHeader } from "./renewal.js";
import { vault } from "./vault.js";

const MAKE: Record<FeatureName, MakeFeature> = {
  limits,
  audiences,
  opening,
  "renewal-header": renewalHeader,
  classify,
  refusal,
  "retry-at-once": retryAtOnce,
  "mixed-options": mixedOptions,
  "mixed-persist": mixedPersist,
  hostile,
  // What the script of `hostile` may post besides.
  "forged-ends": () => ({}),
  replays: () => ({}),
  releases,
  dpop,
  vault,
};

/** What happens next has dice of its own, with the number of features that there were when they got them. */
const NEXT = 13;

/** The features of one seed, as one. Without any, it draws nothing and changes nothing. */
export class Features {
  readonly #all: readonly Feature[];
  readonly #dice: Dice;

  constructor(browser: Browser, plan: Plan) {
    const diceFor = (index: number) => new Dice(Math.imul(plan.seed, 0xc2b2ae35) ^ Math.imul(index + 1, 0x165667b1));
    const numberOf = (index: number) => (index < NEXT ? index : index + 1);
    this.#all = FEATURES.flatMap((name, index) => (plan.features.has(name) ? [MAKE[name](browser, plan, diceFor(numberOf(index)))] : []));
    this.#dice = diceFor(NEXT);
  }

  options(page: Page): FeatureOptions {
    return Object.assign({}, ...this.#all.map((feature) => feature.options?.(page, this.library(page))));
  }

  library(page: Page): Library {
    return this.#all.map((feature) => feature.library?.(page)).find(Boolean) ?? today;
  }

  keepsInMemory: NonNullable<Feature["keepsInMemory"]> = (page) => this.#all.some((feature) => feature.keepsInMemory?.(page));

  /** Lets something of a feature happen, and tells whether it did. */
  happen(app: App): boolean {
    const feature = this.#all.find(({ likelihood }) => likelihood && this.#dice.bool(likelihood));
    feature?.happen?.(app);
    return feature !== undefined;
  }

  wrote(write: Write): void {
    for (const feature of this.#all) feature.wrote?.(write);
  }

  posted(page: Page, message: unknown): void {
    for (const feature of this.#all) feature.posted?.(page, message);
  }

  sending(exchange: Exchange): void {
    for (const feature of this.#all) feature.sending?.(exchange);
  }

  processed(exchange: Exchange): void {
    for (const feature of this.#all) feature.processed?.(exchange);
  }

  instead(exchange: Exchange): Answer | undefined {
    for (const feature of this.#all) {
      const answer = feature.instead?.(exchange);
      if (answer) return answer;
    }
    return undefined;
  }

  api(page: Page, url: string, bearer: string | undefined, proof: string | undefined): ApiAnswer {
    return Object.assign({}, ...this.#all.map((feature) => feature.api?.(page, url, bearer, proof)));
  }

  nonce: NonNullable<Feature["nonce"]> = (url) => this.#all.map((feature) => feature.nonce?.(url)).find(Boolean);

  get crypto(): Feature["crypto"] {
    return this.#all.map((feature) => feature.crypto).find(Boolean);
  }

  skew: NonNullable<Feature["skew"]> = (drawn) => this.#all.reduce((skew, feature) => feature.skew?.(skew) ?? skew, drawn);

  /** Signs a user in as a feature does it, and tells whether one did. */
  signsIn(subject: string, app: App): boolean {
    const feature = this.#all.find(({ signsIn }) => signsIn);
    feature?.signsIn?.(subject, app);
    return feature !== undefined;
  }

  grantOf(token: string | undefined): Grant | undefined {
    return token ? this.#all.map((feature) => feature.grantOf?.(token)).find(Boolean) : undefined;
  }

  got(got: Got): void {
    if (!got.app.page.tab.dead) for (const feature of this.#all) feature.got?.(got);
  }

  isLost: NonNullable<Feature["isLost"]> = (record, grant) => this.#all.some((feature) => feature.isLost?.(record, grant));
  explainsEnd: NonNullable<Feature["explainsEnd"]> = (record) => this.#all.some((feature) => feature.explainsEnd?.(record));
  isForged: NonNullable<Feature["isForged"]> = (record) => this.#all.some((feature) => feature.isForged?.(record));
  isNoRefresh: NonNullable<Feature["isNoRefresh"]> = (write) => this.#all.some((feature) => feature.isNoRefresh?.(write));
  mayComeBack: NonNullable<Feature["mayComeBack"]> = (grant) => this.#all.some((feature) => feature.mayComeBack?.(grant));
  writesNothing: NonNullable<Feature["writesNothing"]> = (page, epoch) => this.#all.some((feature) => feature.writesNothing?.(page, epoch));
  excuses: NonNullable<Feature["excuses"]> = (app) => this.#all.some((feature) => feature.excuses?.(app));

  step(): void {
    for (const feature of this.#all) feature.step?.();
  }

  async atEnd(apps: readonly App[]): Promise<void> {
    for (const feature of this.#all) await feature.atEnd?.(apps);
  }
}
