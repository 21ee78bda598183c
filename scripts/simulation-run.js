// Runs many seeds in as many processes as there are cores.
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { Tally } from "./simulation-tally.js";

/** How many seeds a process gets at a time. */
const PORTION = 50;

/** Milliseconds that a portion may take, which needs about one second: what takes longer does not end. */
const PATIENCE = 60_000;

/** Much garbage that lives shortly, and no core to spare for collecting it beside: a fifth less work in all, measured. */
const NODE_OPTIONS = ["--max-semi-space-size=64", "--single-threaded-gc"];

/**
 * A seed that does not come to an end is one with a violation.
 * @param {string} file the bundle
 * @param {{ from: number, count: number, cores?: number, named?: readonly string[], patience?: number, enough?: (total: Tally) => boolean, progress?: (total: Tally) => void }} options
 *   `named`: the kinds of fault and the features that each seed has; `enough` ends the run early
 * @returns {Promise<Tally>}
 */
export async function runSeeds(
  file,
  { from, count, cores = availableParallelism(), named = [], patience = PATIENCE, enough = () => false, progress = () => {} },
) {
  const total = new Tally();
  const end = from + count;
  let next = from;
  /** The seeds of a portion that did not end: one by one, to learn which. @type {number[]} */
  const single = [];

  function take() {
    const seed = single.pop();
    if (seed !== undefined) return { from: seed, count: 1 };
    const portion = { from: next, count: Math.min(PORTION, end - next) };
    next += portion.count;
    return portion;
  }

  /** @param {{ from: number, count: number }} portion */
  function giveUp({ from: first, count: seeds }) {
    if (seeds > 1) return single.push(...Array.from({ length: seeds }, (_, index) => first + index));
    total.seeds += 1;
    total.failed.push({ seed: first, property: "P5", text: "does not come to an end" });
    progress(total);
  }

  /** @returns {Promise<void>} */
  const worker = () =>
    new Promise((resolve, reject) => {
      const child = fork(new URL("simulation-worker.js", import.meta.url), [file, ...named], { stdio: "inherit", execArgv: NODE_OPTIONS });
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      /** @type {{ from: number, count: number } | undefined} */
      let working;
      let stuck = false;
      child.on("message", (message) => {
        // Its seeds are run once more.
        if (stuck) return;
        clearTimeout(timer);
        working = undefined;
        if (message !== "ready") {
          total.merge(/** @type {ReturnType<Tally["toJSON"]>} */ (message));
          progress(total);
        }
        if ((next >= end && single.length === 0) || enough(total)) return child.disconnect();
        const portion = take();
        working = portion;
        child.send(portion);
        const late = () => {
          if (working !== portion) return;
          stuck = true;
          giveUp(portion);
          child.kill("SIGKILL");
        };
        // What it has said is read first: this process may have stood still, with the device asleep.
        timer = setTimeout(() => setImmediate(late), patience);
      });
      child.on("error", reject);
      child.on("exit", (code) => {
        clearTimeout(timer);
        if (stuck) worker().then(resolve, reject);
        else if (code === 0) resolve();
        else reject(new Error(`a simulation process ended with ${code}`));
      });
    });
  await Promise.all(Array.from({ length: cores }, worker));
  total.failed.sort((one, other) => one.seed - other.seed);
  return total;
}
