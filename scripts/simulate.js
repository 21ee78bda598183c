// npm run simulate -- --seed N --trace          replays one seed, as a story
// npm run simulate -- --seeds 1000000 [--from N]  runs many, on all cores
import { fork } from "node:child_process";
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { bundleSimulation } from "./simulation.js";
import { printReport, Tally } from "./simulation-tally.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    cores: { type: "string" },
  },
});
/** How many seeds a worker gets at a time. */
const PORTION = 200;

if (process.send) await work();
else if (values.seed !== undefined) await replay(Number(values.seed));
else await runMany(Number(values.from), Number(values.seeds ?? 2_000));

/** @param {number} seed */
async function replay(seed) {
  const file = await bundleSimulation();
  const { simulate } = await import(pathToFileURL(file).href);
  const result = await simulate(seed, values.trace ? console.log : undefined);
  console.log(`\n${result.events} events, ${result.tabs} tabs, ${result.rotations} rotations`);
  for (const [cause, count] of result.reuses) console.log(`reuse admitted: ${cause}, ${count}`);
  for (const [property, count] of result.tolerated) console.log(`not promised in this mode: ${property}, ${count}`);
  for (const { property, text, at } of result.violations) console.log(`VIOLATION of ${property} at ${(at / 1000).toFixed(3)} s: ${text}`);
  if (result.violations.length === 0) console.log("no violation");
  else process.exitCode = 1;
  rmSync(dirname(file), { recursive: true });
}

/**
 * @param {number} from
 * @param {number} count
 */
async function runMany(from, count) {
  const file = await bundleSimulation();
  const total = new Tally();
  const end = from + count;
  const start = Date.now();
  let next = from;
  let told = start;
  const workers = Array.from({ length: Number(values.cores ?? availableParallelism()) }, () => {
    const child = fork(new URL(import.meta.url), { env: { ...process.env, TOKENTIDE_SIMULATION: file } });
    const give = () => {
      if (next >= end) return child.disconnect();
      const portion = Math.min(PORTION, end - next);
      child.send({ from: next, count: portion });
      next += portion;
    };
    child.on("message", (message) => {
      if (message === "ready") return give();
      total.merge(/** @type {ReturnType<Tally["toJSON"]>} */ (message));
      if (Date.now() - told > 30_000) {
        told = Date.now();
        console.log(`${total.seeds} seeds, ${Math.round((total.seeds * 1000) / (told - start))} a second, ${total.failed.length} failed`);
      }
      give();
    });
    return new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  });
  const codes = await Promise.all(workers);
  rmSync(dirname(file), { recursive: true });
  printReport(total, (Date.now() - start) / 1000);
  if (total.failed.length > 0 || total.seeds !== count || codes.some((code) => code !== 0)) process.exitCode = 1;
}

async function work() {
  // Thousands of errors a second, and nobody reads where they were made.
  Error.stackTraceLimit = 0;
  const { simulate } = await import(pathToFileURL(process.env.TOKENTIDE_SIMULATION ?? "").href);
  process.on("message", async (message) => {
    const { from, count } = /** @type {{ from: number, count: number }} */ (message);
    const tally = new Tally();
    for (let seed = from; seed < from + count; seed += 1) tally.add(await simulate(seed));
    process.send?.(tally.toJSON());
  });
  process.send?.("ready");
}
