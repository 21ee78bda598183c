// How things are measured: in turns, in short batches, and compared within a round only, so that a busy machine meets all alike.

/** The value below which that share of the list lies. */
export function quantile(/** @type {number[]} */ list, /** @type {number} */ share) {
  return [...list].sort((one, other) => one - other)[Math.min(list.length - 1, Math.floor(list.length * share))];
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
  const names = Object.keys(jobs);
  /** @type {Record<string, number[]>} */
  const ratios = Object.fromEntries(names.map((name) => [name, []]));
  const costsOfBase = [];
  for (let round = 0; round < warmUp + rounds; round++) {
    const costs = {};
    for (const name of shuffled(names)) costs[name] = await jobs[name]();
    if (round < warmUp) continue;
    costsOfBase.push(costs[base]);
    for (const name of names) ratios[name].push(costs[name] / costs[base]);
  }
  return { base: quantile(costsOfBase, 0.5), ratios: Object.fromEntries(names.map((name) => [name, spread(ratios[name])])) };
}

function shuffled(/** @type {string[]} */ names) {
  const places = names.map((name) => ({ name, place: Math.random() }));
  return places.sort((one, other) => one.place - other.place).map(({ name }) => name);
}
