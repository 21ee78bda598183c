// Runs the seeds that it is told to run, and reports what they came to.
import { pathToFileURL } from "node:url";
import { Tally } from "./simulation-tally.js";

// Thousands of errors a second, and nobody reads where they were made.
Error.stackTraceLimit = 0;
const [file = "", ...named] = process.argv.slice(2);
const { simulate } = await import(pathToFileURL(file).href);

process.on("message", async (message) => {
  const { from, count } = /** @type {{ from: number, count: number }} */ (message);
  const tally = new Tally();
  for (let seed = from; seed < from + count; seed += 1) {
    try {
      tally.add(await simulate(seed, undefined, named));
    } catch (error) {
      console.error(`seed ${seed}`);
      throw error;
    }
  }
  process.send?.(tally.toJSON());
});
process.send?.("ready");
