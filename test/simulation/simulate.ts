import { Browser } from "./browser.js";
import { convergence } from "./convergence.js";
import { Events } from "./events.js";
import { Dice, type Kind, type Plan, planFor } from "./plan.js";
import type { Violation } from "./properties.js";

export interface Result {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** What a mode without a store does not promise, and how often it failed. */
  readonly tolerated: ReadonlyMap<string, number>;
  /** Reuse that reached the server because somebody could not know better. */
  readonly reuses: ReadonlyMap<string, number>;
  readonly happened: ReadonlyMap<Kind, number>;
  readonly rotations: number;
  readonly events: number;
  readonly tabs: number;
}

/** Fewer would show little. */
const LEAST_ROTATIONS = 3;
const LEAST_KINDS = 2;
const MOST_EVENTS = 600;

/** Runs one seed. Everything that happens is decided by it, and by the kinds of fault and the features that are `named`; `trace` hears the story. */
export async function simulate(seed: number, trace?: (line: string) => void, named?: readonly string[]): Promise<Result> {
  const plan = planFor(seed, named);
  const dice = new Dice(seed);
  const browser = new Browser(plan, dice, trace);
  const events = new Events(browser, plan, dice);
  trace?.(describe(plan));
  browser.open();
  while (browser.pages.length < Math.min(plan.tabs, 20)) {
    await browser.clock.advance(dice.skewed(0, 1_000));
    browser.open();
  }
  events.login();
  let count = 0;
  const enough = () =>
    count >= plan.events &&
    browser.authority.rotations >= LEAST_ROTATIONS &&
    browser.happened.size >= Math.min(LEAST_KINDS, plan.kinds.size);
  while (!enough() && count < MOST_EVENTS) {
    await browser.clock.advance(events.pause());
    await events.next();
    count += 1;
  }
  events.end();
  await convergence(browser, plan);
  browser.faults.finish();
  const { violations, tolerated, reuses } = browser.observer;
  return {
    plan,
    violations,
    tolerated,
    reuses,
    happened: browser.happened,
    rotations: browser.authority.rotations,
    events: count,
    tabs: browser.pages.length,
  };
}

function describe({
  seed,
  mode,
  locks,
  channel,
  store,
  grace,
  reuseGrace,
  accessSeconds,
  refreshTimeout,
  takeoverAfter,
  kinds,
  features,
}: Plan): string {
  const has = Object.entries({ locks, channel, store }).map(([name, there]) => (there ? name : `no ${name}`));
  return [
    `seed ${seed}: ${mode} mode, ${has.join(", ")}; tokens of ${accessSeconds} s, a server with ${grace} ms of grace (${reuseGrace} told)`,
    `refreshTimeout ${refreshTimeout}, takeoverAfter ${takeoverAfter}; faults: ${[...kinds.keys()].join(", ")}`,
    ...(features.size > 0 ? [`features: ${[...features].join(", ")}`] : []),
  ].join("\n");
}
