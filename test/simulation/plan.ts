import { type Chance, seeded } from "../../src/testing/chance.js";
import { FAULT_KINDS, type FaultKind, withFaults } from "./faults/kinds.js";
import { FEATURES, type FeatureName, featuresFor } from "./features/names.js";

export type Mode = "persist" | "memory" | "cookie";

/** What can happen in a browser full of tabs. The names are those of the coverage table. */
export const KINDS = [
  ...["hide", "freeze", "freeze-told", "back-forward-cache", "block", "close", "crash", "reload", "open", "twin"],
  ...["device-sleep", "clock-jump", "slow-messages", "slow-locks", "slow-store", "offline-tab", "offline-device"],
  ...[
    "request-lost",
    "answer-lost",
    "answer-silent",
    "request-silent",
    "gateway",
    "server-error",
    "throttled",
    "slow-request",
    "slow-answer",
  ],
  ...["sign-out", "sign-in-other", "api-refuses", "revoked"],
] as const;
export type Kind = (typeof KINDS)[number] | FaultKind;

/** The longest time, in milliseconds, that one step of a transaction takes, and that a slow one takes. */
export const STORE_STEP = 6;
export const SLOW_STORE_STEP = 400;

/** Faults of one exchange with the token endpoint, drawn for each. */
export const NETWORK_KINDS = [
  ...[
    "request-lost",
    "answer-lost",
    "answer-silent",
    "request-silent",
    "gateway",
    "server-error",
    "throttled",
    "slow-request",
    "slow-answer",
  ],
] as const satisfies readonly Kind[];
export type NetworkKind = (typeof NETWORK_KINDS)[number];

/** Everything about a seed that is decided before its first event. */
export interface Plan {
  readonly seed: number;
  readonly mode: Mode;
  readonly locks: boolean;
  readonly channel: boolean;
  readonly store: boolean;
  /** Milliseconds within which the server takes a used refresh token again. */
  readonly grace: number;
  /** What the sessions are told of it. */
  readonly reuseGrace: number;
  readonly jwt: boolean;
  readonly accessSeconds: number;
  readonly refreshTimeout: number;
  readonly takeoverAfter: number;
  readonly tabs: number;
  readonly events: number;
  /** Whether each tab's wall clock is off by a constant. */
  readonly skewed: boolean;
  /** The faults of this seed, and how likely each is. */
  readonly kinds: ReadonlyMap<Kind, number>;
  readonly networkFaults: number;
  /** How likely a fault strikes a tab at a telling moment: as it marks, sends, is answered, commits. */
  readonly strikes: number;
  /** What it has beside the old mix. */
  readonly features: ReadonlySet<FeatureName>;
}

export class Dice {
  readonly chance: Chance;
  constructor(seed: number) {
    this.chance = seeded(seed);
  }
  bool(probability: number): boolean {
    return this.chance() < probability;
  }
  /** A whole number between two bounds, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.chance() * (high - low + 1));
  }
  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.chance() * from.length)] as T;
  }
  /** Mostly short, seldom long. */
  skewed(low: number, high: number): number {
    const square = this.chance() ** 2;
    return Math.floor(low + (high - low) * square * square);
  }
  weighted<T>(from: Iterable<readonly [T, number]>): T {
    const entries = [...from];
    let left = this.chance() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of entries) {
      left -= weight;
      if (left < 0) return value;
    }
    return (entries.at(-1) as readonly [T, number])[0];
  }
}

/** What `--with` may name. */
export const NAMES: readonly string[] = [...KINDS, ...FAULT_KINDS, ...FEATURES];

const isKind = (name: string): name is Kind => ([...KINDS, ...FAULT_KINDS] as string[]).includes(name);

/** Which platforms a mode is tried on: most of the seeds where most of the browsers are. */
const PLATFORMS: readonly (readonly [Pick<Plan, "mode" | "locks" | "channel" | "store">, number])[] = [
  [{ mode: "persist", locks: true, channel: true, store: true }, 38],
  [{ mode: "persist", locks: false, channel: true, store: true }, 16],
  [{ mode: "persist", locks: true, channel: false, store: true }, 4],
  [{ mode: "persist", locks: false, channel: false, store: true }, 4],
  [{ mode: "memory", locks: true, channel: true, store: true }, 8],
  [{ mode: "memory", locks: false, channel: true, store: true }, 4],
  [{ mode: "memory", locks: true, channel: true, store: false }, 3],
  [{ mode: "memory", locks: false, channel: true, store: false }, 3],
  [{ mode: "cookie", locks: true, channel: true, store: true }, 8],
  [{ mode: "cookie", locks: false, channel: true, store: true }, 6],
  [{ mode: "cookie", locks: true, channel: true, store: false }, 3],
  [{ mode: "cookie", locks: false, channel: true, store: false }, 3],
];

/** `named`: the kinds of fault and the features that the seed has in any case. */
export function planFor(seed: number, named: readonly string[] = []): Plan {
  const unknown = named.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`there is no kind of fault and no feature named ${unknown}`);
  // Neighbouring seeds would begin alike.
  const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  dice.chance();
  const platform = dice.weighted(PLATFORMS);
  const lacking = new Set<Kind>([
    ...(platform.locks ? [] : ["slow-locks" as const]),
    ...(platform.channel ? [] : ["slow-messages" as const]),
  ]);
  const possible = KINDS.filter((kind) => !lacking.has(kind));
  const kinds = new Map<Kind, number>();
  for (const count = dice.whole(3, 9); kinds.size < count; ) kinds.set(dice.pick(possible), 0.2 + dice.chance());
  const grace = dice.bool(0.25) ? 10_000 : 0;
  const refreshTimeout = dice.pick([3_000, 5_000, 10_000, 10_000, 10_000]);
  const plan = {
    seed,
    ...platform,
    grace,
    reuseGrace: grace && dice.bool(0.6) ? grace : 0,
    jwt: dice.bool(0.25),
    accessSeconds: dice.pick([20, 30, 45, 60, 60, 90, 120]),
    refreshTimeout,
    takeoverAfter: dice.pick([refreshTimeout + 1_000, 3 * refreshTimeout, 30_000]),
    tabs: dice.bool(0.06) ? dice.whole(9, 20) : dice.whole(2, 5),
    events: dice.whole(200, 230),
    skewed: dice.bool(0.25),
    kinds: withFaults(kinds, platform, new Dice(Math.imul(seed, 0x85ebca6b) ^ 0x27d4eb2f), named.filter(isKind)),
    networkFaults: dice.bool(0.5) ? 0.05 + 0.4 * dice.chance() : 0.1,
    strikes: dice.bool(0.6) ? 0.01 + 0.06 * dice.chance() : 0,
  };
  const features = featuresFor(platform, new Dice(Math.imul(seed, 0xcc9e2d51) ^ 0x1b873593), named);
  // Without a JWT, a header cannot say how long its token lives.
  // A token that is revoked meanwhile is renewed whatever the pace.
  if (features.has("refusal")) for (const kind of ["api-refuses", "revoked"] as const) kinds.delete(kind);
  if (kinds.size === 0) kinds.set("reload", 1);
  return { ...plan, jwt: plan.jwt || features.has("renewal-header"), features };
}
