// npm run simulate -- --seed N --trace           replays one seed, as a story
// npm run simulate -- --seeds 1000000 [--from N]   runs many, on all cores
// npm run simulate -- --with storage-hangs,limits   gives each seed these kinds of fault and these features, also those that no seed draws yet
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { bundleSimulation } from "./simulation.js";
import { runSeeds } from "./simulation-run.js";
import { printReport } from "./simulation-tally.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    with: { type: "string", default: "" },
    cores: { type: "string", default: String(availableParallelism()) },
  },
});
const named = values.with.split(",").filter(Boolean);
const file = await bundleSimulation();
try {
  const { NAMES } = await import(pathToFileURL(file).href);
  const unknown = named.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) throw new Error(`--with: there is no ${unknown.join(", ")}; there are ${NAMES.join(", ")}`);
  if (values.seed !== undefined) await replay(Number(values.seed));
  else await runMany(Number(values.from), Number(values.seeds), Number(values.cores));
} finally {
  rmSync(dirname(file), { recursive: true });
}

/** @param {number} seed */
async function replay(seed) {
  const { simulate } = await import(pathToFileURL(file).href);
  const result = await simulate(seed, values.trace ? console.log : undefined, named);
  console.log(`\n${result.events} events, ${result.tabs} tabs, ${result.rotations} rotations`);
  for (const [cause, count] of result.reuses) console.log(`reuse admitted: ${cause}, ${count}`);
  for (const [property, count] of result.tolerated) console.log(`not promised in this mode: ${property}, ${count}`);
  for (const { property, text, at } of result.violations) console.log(`VIOLATION of ${property} at ${(at / 1000).toFixed(3)} s: ${text}`);
  if (result.violations.length === 0) console.log("no violation");
  else process.exitCode = 1;
}

/**
 * @param {number} from
 * @param {number} count
 * @param {number} cores
 */
async function runMany(from, count, cores) {
  const start = Date.now();
  const seconds = () => (Date.now() - start) / 1000;
  let told = start;
  /** A run takes an hour: what it has found need not wait for its end. */
  let shown = 0;
  const total = await runSeeds(file, {
    from,
    count,
    cores,
    named,
    progress({ seeds, failed }) {
      if (Date.now() - told < 30_000) return;
      told = Date.now();
      console.log(`${seeds} seeds, ${Math.round(seeds / seconds())} a second, ${failed.length} with a violation`);
      for (const { seed, property, text } of failed.slice(shown)) console.log(`  seed ${seed}: ${property}: ${text}`);
      shown = failed.length;
    },
  });
  printReport(total, seconds(), named);
  if (total.failed.length > 0 || total.seeds !== count) process.exitCode = 1;
}
