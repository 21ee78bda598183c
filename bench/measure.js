// How things are measured: in turns, in short batches, and compared within a round only, so that a busy machine meets all alike.

/** The value below which that share of the list lies; NaN when the list is empty. */
export function quantile(/** @type {number[]} */ list, /** @type {number} */ share) {
  return [...list].sort((one, other) => one - other)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? Number.NaN;
}

export const spread = (/** @type {number[]} */ list) => ({
  median: quantile(list, 0.5),
  quartiles: [quantile(list, 0.25), quantile(list, 0.75)],
});

/** Milliseconds of processor that this process has used in all its threads: what others do meanwhile is not in it. */
export function processorTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Each job, which resolves to what it cost, has its turn in each round, in an order drawn anew: what one leaves behind, such as garbage,
 * is not always paid by the same next one. What counts is the ratio to `base` in the same round.
 *
 * @param {Record<string, () => Promise<number>>} jobs
 * @param {{ base: string, rounds: number, warmUp: number }} options
 */
export async function takeTurns(jobs, { base, rounds, warmUp }) {
  /** @type {[name: string, ratios: number[]][]} */
  const ratios = Object.keys(jobs).map((name) => [name, []]);
  /** @type {number[]} */
  const costsOfBase = [];
  for (let round = 0; round < warmUp + rounds; round++) {
    /** @type {Map<string, number>} */
    const costs = new Map();
    for (const [name, job] of shuffled(Object.entries(jobs))) costs.set(name, await job());
    if (round < warmUp) continue;
    const costOfBase = costs.get(base) ?? Number.NaN;
    costsOfBase.push(costOfBase);
    for (const [name, own] of ratios) own.push((costs.get(name) ?? Number.NaN) / costOfBase);
  }
  return { base: quantile(costsOfBase, 0.5), ratios: Object.fromEntries(ratios.map(([name, own]) => [name, spread(own)])) };
}

/**
 * A copy in an order by chance.
 *
 * @template Item
 * @param {Item[]} items
 */
export function shuffled(items) {
  const places = items.map((item) => ({ item, place: Math.random() }));
  return places.sort((one, other) => one.place - other.place).map(({ item }) => item);
}
