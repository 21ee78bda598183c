import type { Dice, Kind, Plan } from "../plan.js";

/** The faults that have a file of their own in this folder. */
export const FAULT_KINDS = [
  ...["slow-opening", "slow-opening-asleep", "storage-hangs", "sign-out-and-leave", "return-and-call", "prerender"],
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** The kinds whose behaviour the package still owes. No seed draws them; `--with` switches them on. */
export const OWED_KINDS: readonly Kind[] = [];

/** The kinds that are drawn after all others, so that the other draws of a seed stay as they were. */
const LATER_KINDS: readonly Kind[] = ["storage-hangs"];

/** The kinds that mean nothing where there is no store. */
const OF_STORES: readonly Kind[] = ["slow-opening", "slow-opening-asleep", "storage-hangs", "sign-out-and-leave", "return-and-call"];

/** How many of the seeds have each of these kinds. All of them together, but for the later ones, are in 40 % of the seeds at most. */
const SHARE = 0.08;
const MOST = 0.4;
/** How many of those seeds have no other kind, or one other. */
const ALONE = 0.25;

/**
 * Adds the kinds of this folder to the mix of a seed: those that are `asked` for, or else one or two by chance, and the later ones. The mix of
 * the other seeds stays as it is.
 */
export function withFaults(
  mix: ReadonlyMap<Kind, number>,
  { store }: Pick<Plan, "store">,
  dice: Dice,
  asked: readonly Kind[],
): ReadonlyMap<Kind, number> {
  const isPossible = (kind: Kind) => store || !OF_STORES.includes(kind);
  const possible = FAULT_KINDS.filter((kind) => isPossible(kind) && !OWED_KINDS.includes(kind));
  const drawn = possible.filter((kind) => !LATER_KINDS.includes(kind));
  const wanted = asked.filter(isPossible);
  if (asked.length === 0 && drawn.length > 0 && dice.bool(Math.min(MOST, SHARE * drawn.length)))
    wanted.push(...new Set([dice.pick(drawn), dice.pick(drawn)]));
  const kinds = new Map<Kind, number>();
  if (wanted.length === 0 || !dice.bool(ALONE)) for (const [kind, weight] of mix) kinds.set(kind, weight);
  else if (dice.bool(0.5)) kinds.set(...dice.pick([...mix]));
  for (const kind of wanted) kinds.set(kind, 0.2 + dice.chance());
  const later = asked.length > 0 ? [] : possible.filter((kind) => LATER_KINDS.includes(kind) && dice.bool(SHARE));
  for (const kind of later) kinds.set(kind, 0.2 + dice.chance());
  return kinds;
}
