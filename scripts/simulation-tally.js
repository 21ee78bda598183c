// What many seeds came to.

/** @typedef {import("../test/simulation/simulate.js").Result} Result */

/** @param {Map<string, number>} counts @param {Iterable<readonly [string, number]>} more */
function addAll(counts, more) {
  for (const [key, count] of more) counts.set(key, (counts.get(key) ?? 0) + count);
}

export class Tally {
  seeds = 0;
  events = 0;
  rotations = 0;
  /** @type {{ seed: number, property: string, text: string }[]} */
  failed = [];
  /** @type {Map<string, number>} */
  reuses = new Map();
  /** @type {Map<string, number>} */
  tolerated = new Map();
  /** In how many seeds each kind of fault happened, and each two of them. @type {Map<string, number>} */
  kinds = new Map();
  /** @type {Map<string, number>} */
  pairs = new Map();
  /** @type {Map<string, number>} */
  modes = new Map();
  /** In how many seeds each feature was on. @type {Map<string, number>} */
  features = new Map();

  /** @param {Result} result */
  add(result) {
    this.seeds += 1;
    this.events += result.events;
    this.rotations += result.rotations;
    const [first] = result.violations;
    if (first) this.failed.push({ seed: result.plan.seed, property: first.property, text: first.text });
    addAll(this.reuses, result.reuses);
    addAll(this.tolerated, result.tolerated);
    addAll(this.modes, [[modeOf(result), 1]]);
    addAll(
      this.features,
      [...(result.plan.features ?? [])].map((name) => [name, 1]),
    );
    const kinds = [...result.happened.keys()].sort();
    addAll(
      this.kinds,
      kinds.map((kind) => [kind, 1]),
    );
    addAll(
      this.pairs,
      kinds.flatMap((one, index) => kinds.slice(index + 1).map((other) => /** @type {const} */ ([`${one} + ${other}`, 1]))),
    );
  }

  /** Which two kinds have not happened in one seed yet. */
  missingPairs() {
    const kinds = [...this.kinds.keys()].sort();
    const all = kinds.flatMap((one, index) => kinds.slice(index + 1).map((other) => `${one} + ${other}`));
    return all.filter((pair) => !this.pairs.has(pair));
  }

  toJSON() {
    const { seeds, events, rotations, failed } = this;
    const maps = {
      reuses: this.reuses,
      tolerated: this.tolerated,
      kinds: this.kinds,
      pairs: this.pairs,
      modes: this.modes,
      features: this.features,
    };
    return { seeds, events, rotations, failed, maps: Object.entries(maps).map(([name, map]) => ({ name, entries: [...map] })) };
  }

  /** @param {ReturnType<Tally["toJSON"]>} other */
  merge(other) {
    this.seeds += other.seeds;
    this.events += other.events;
    this.rotations += other.rotations;
    this.failed.push(...other.failed);
    for (const { name, entries } of other.maps)
      addAll(this[/** @type {"reuses" | "tolerated" | "kinds" | "pairs" | "modes" | "features"} */ (name)], entries);
  }
}

/** @param {Result} result */
function modeOf({ plan }) {
  const { mode, locks, channel, store } = plan;
  const lacks = Object.entries({ locks, channel, store }).flatMap(([name, there]) => (there ? [] : [`no ${name}`]));
  return [mode, ...lacks].join(", ");
}

/** @param {Tally} total @param {number} seconds @param {readonly string[]} [named] the kinds of fault and the features that every seed had */
export function printReport(total, seconds, named = []) {
  const table = (/** @type {string} */ title, /** @type {Map<string, number>} */ counts) => {
    console.log(`\n${title}`);
    for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`  ${String(count).padStart(9)}  ${name}`);
  };
  table("seeds by mode", total.modes);
  table("seeds with each feature", total.features);
  table("seeds in which each kind of fault happened", total.kinds);
  table("reuse that reached the server, by what excuses it", total.reuses);
  table("broken where the mode does not promise it", total.tolerated);
  const missing = total.missingPairs();
  const [rarest] = [...total.pairs].sort((a, b) => a[1] - b[1]);
  console.log(`\n${total.pairs.size} pairs of faults happened in one seed; the rarest: ${rarest?.join(", in seeds: ")}`);
  if (missing.length > 0) console.log(`pairs that did not happen: ${missing.join(", ")}`);
  const rate = Math.round(total.seeds / seconds);
  console.log(
    `\n${total.seeds} seeds in ${seconds.toFixed(1)} s: ${rate} seeds a second, ${total.events} events, ${total.rotations} rotations`,
  );
  /** @type {Map<string, number>} */
  const properties = new Map();
  addAll(
    properties,
    total.failed.map(({ property }) => [property, 1]),
  );
  console.log(
    `${total.failed.length} seeds with a violation${[...properties].map(([property, count]) => `; ${property} in ${count}`).join("")}`,
  );
  for (const { seed, property, text } of total.failed.slice(0, 40)) {
    const asked = named.length > 0 ? ` --with ${named.join(",")}` : "";
    console.log(`  ${property}: ${text}\n      npm run simulate -- --seed ${seed}${asked} --trace`);
  }
}
