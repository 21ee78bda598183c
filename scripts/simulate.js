// npm run simulate -- --seed N --trace           replays one seed, as a story
// npm run simulate -- --seeds 1000000 [--from N]   runs many, on all cores
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
    cores: { type: "string", default: String(availableParallelism()) },
  },
});
const file = await bundleSimulation();
try {
  if (values.seed !== undefined) await replay(Number(values.seed));
  else await runMany(Number(values.from), Number(values.seeds), Number(values.cores));
} finally {
  rmSync(dirname(file), { recursive: true });
}

/** @param {number} seed */
async function replay(seed) {
  const { simulate } = await import(pathToFileURL(file).href);
  const result = await simulate(seed, values.trace ? console.log : undefined);
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
    progress({ seeds, failed }) {
      if (Date.now() - told < 30_000) return;
      told = Date.now();
      console.log(`${seeds} seeds, ${Math.round(seeds / seconds())} a second, ${failed.length} with a violation`);
      for (const { seed, property, text } of failed.slice(shown)) console.log(`  seed ${seed}: ${property}: ${text}`);
      shown = failed.length;
    },
  });
  printReport(total, seconds());
  if (total.failed.length > 0 || total.seeds !== count) process.exitCode = 1;
}
