import type { Dice, Plan } from "../plan.js";

/** What a seed may have beside the old mix. Each is a file of this folder. */
export const FEATURES = [
  ...["limits", "audiences", "opening", "renewal-header", "classify", "refusal", "retry-at-once"],
  ...["mixed-options", "mixed-persist", "hostile", "forged-ends", "replays", "releases", "dpop", "vault"],
] as const;
export type FeatureName = (typeof FEATURES)[number];

/** Features with rules that the library does not keep yet. They are on only where they are asked for by name. */
export const OWED_FEATURES: readonly FeatureName[] = [];

/** The share of the seeds that have a feature; the others keep the old mix. */
const SHARE = 0.35;

/** Features that came later have a share of their own, so that the others are where they were. */
const SHARES: Partial<Record<FeatureName, number>> = { dpop: 0.08, vault: 0.08 };

/** Where a feature makes no sense. */
const NEEDS: Partial<Record<FeatureName, (platform: Pick<Plan, "mode" | "channel" | "store">) => boolean>> = {
  "mixed-persist": ({ mode, store }) => mode === "persist" && store,
  // Where the tabs share no storage, messages are all that they have.
  dpop: ({ mode }) => mode !== "cookie",
  vault: ({ mode }) => mode !== "cookie",
  hostile: ({ mode, channel, store }) => mode !== "memory" && channel && store,
};

/** Draws the features of a seed. `dice`: those of the features alone, so that no other draw moves. `named`: the features that every seed has. */
export function featuresFor(
  platform: Pick<Plan, "mode" | "channel" | "store">,
  dice: Dice,
  named: readonly string[],
): ReadonlySet<FeatureName> {
  dice.chance();
  const drawn = new Set<FeatureName>();
  const possible = FEATURES.filter((name) => !OWED_FEATURES.includes(name) && SHARES[name] === undefined);
  if (dice.bool(SHARE)) for (const count = dice.pick([1, 1, 2, 3]); drawn.size < count; ) drawn.add(dice.pick(possible));
  for (const name of FEATURES) if (dice.bool(SHARES[name] ?? 0)) drawn.add(name);
  for (const name of FEATURES) if (named.includes(name)) drawn.add(name);
  // The keys of proofs are in the page, and `vault` takes none.
  if (drawn.has("dpop")) drawn.delete(named.includes("vault") ? "dpop" : "vault");
  if (drawn.has("forged-ends") || drawn.has("replays")) drawn.add("hostile");
  return new Set(FEATURES.filter((name) => drawn.has(name) && NEEDS[name]?.(platform) !== false));
}
