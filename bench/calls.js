// node bench/calls.js <way> <own|peers> <rounds>   what one call with a fresh token costs; prints JSON. Each way has a process of its own,
// and so have the peers: what they leave to the garbage collector, and to the compiler, would be paid by the two lean ones.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { contestants } from "./contestants.js";
import { processorTime, takeTurns } from "./measure.js";
import { createWorld, plainFetch, use } from "./world.js";

const [way = "", group, rounds] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const base = "header by hand";
const own = ["60-line floor", "tokentide"];
const answering = async () => new Response("{}");
const address = (/** @type {string} */ api) => `${api}/me`;

/**
 * @import { Contestant } from "./contestants.js"
 *
 * @typedef {object} Way
 * @property {number} calls in a batch
 * @property {import("./world.js").Network} network
 * @property {(api: string) => string | Request} input
 * @property {boolean} [request] whether the input is a `Request`, which not all contestants take
 * @property {boolean} [loopback]
 * @property {boolean} [bytes] are counted, in place of time
 */

/** @type {Record<string, Way>} */
const ways = {
  stub: { calls: 300, network: answering, input: address },
  building: {
    calls: 200,
    input: address,
    network: async (input, init) => {
      new Request(input, init);
      return new Response("{}");
    },
  },
  request: { calls: 300, network: answering, input: (api) => new Request(address(api)), request: true },
  loopback: { calls: 30, network: plainFetch, input: address, loopback: true },
  allocations: { calls: 300, network: answering, input: address, bytes: true },
};
const chosen = ways[way];
if (!chosen) throw new TypeError(`bench/calls.js: the way is one of ${Object.keys(ways).join(", ")}; it was ${way}`);
const { calls, network, input, request, loopback, bytes } = chosen;
const { gc } = globalThis;
if (bytes && !gc) throw new Error(`bench/calls.js: ${way} needs node --expose-gc`);

const server = loopback
  ? spawn(process.execPath, [fileURLToPath(new URL("loopback.js", import.meta.url))], { stdio: ["pipe", "pipe", "inherit"] })
  : undefined;
const api = server ? String((await once(server.stdout, "data"))[0]).trim() : "https://api.example.test";

/** @type {Record<string, () => Promise<number>>} */
const jobs = {};
/** @type {Contestant["stop"][]} */
const stops = [];
/** @type {Record<string, string>} */
const failures = {};
for (const [name, make] of Object.entries(contestants)) {
  if (name !== base && own.includes(name) !== (group === "own")) continue;
  const world = createWorld();
  try {
    const contestant = await make({ api, renew: world.renew, answer: world.answer });
    if (request && !contestant.request) continue;
    await doesItOnce(contestant, world);
    const target = input(api);
    jobs[name] = async () => {
      if (bytes) gc?.();
      const before = bytes ? process.memoryUsage().heapUsed : processorTime();
      for (let index = 0; index < calls; index++) {
        const response = await contestant.call(target);
        // A connection is free once its answer was read. What axios gives has been.
        if (loopback) await response.text?.();
      }
      return (bytes ? process.memoryUsage().heapUsed : processorTime()) - before;
    };
    stops.push(contestant.stop);
  } catch (error) {
    failures[name] = String(error);
  }
}

/** Before it is timed: a call that the API accepts, without a refresh. */
async function doesItOnce(/** @type {Contestant} */ contestant, /** @type {ReturnType<typeof createWorld>} */ world) {
  world.forget();
  const { status } = await contestant.call(input("https://api.example.test"));
  if (!loopback && (status !== 200 || world.refreshes || world.calls !== 1))
    throw new Error(`status ${status}, ${world.refreshes} refreshes, ${world.calls} calls`);
}

use(network);
const { base: each, ratios } = await takeTurns(jobs, { base, rounds, warmUp: Math.ceil(3000 / calls) });
for (const stop of stops) stop?.();
server?.kill();
console.log(JSON.stringify({ each: each / calls, ratios, failures }));
process.exit();
