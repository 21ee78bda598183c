// node bench/storms.js <kind> <rounds> <names…>   a thousand calls at once; prints JSON. A process of its own for each kind.
import { contestants } from "./contestants.js";
import { quantile, takeTurns } from "./measure.js";
import { createWorld } from "./world.js";

const CALLS = 1000;
const API = "https://api.example.test";
const HOURS = 3_600_000;
const RealDate = Date;

/** @type {Record<string, { latency: (call: number) => number, elapsed: number }>} */
const kinds = {
  /** The clock says so, as after a sleep. */
  expired: { latency: () => 5, elapsed: 2 * HOURS },
  /** The clock says that it is fresh, the API that it is not. */
  revoked: { latency: () => 5, elapsed: 0 },
  /** As `revoked`, but half of the calls hear of it long after the refresh is over. */
  late: { latency: (call) => (call % 2 ? 5 : 60), elapsed: 0 },
};
const [kind = "", rounds, ...names] = process.argv.slice(2);
const storm = kinds[kind];
if (!storm) throw new TypeError(`bench/storms.js: the kind is one of ${Object.keys(kinds).join(", ")}; it was ${kind}`);
const { latency, elapsed } = storm;

/** Only forwards, for all who look at it; timers do not follow. */
function setClockAhead(/** @type {number} */ milliseconds) {
  const now = () => RealDate.now() + milliseconds;
  globalThis.Date = /** @type {any} */ (
    class extends RealDate {
      constructor(/** @type {any[]} */ ...given) {
        if (given.length) super(.../** @type {[]} */ (given));
        else super(now());
      }
      /** @override */
      static now = now;
    }
  );
}

/** @type {Record<string, Record<string, number>>} */
const outcomes = {};
/** @type {Record<string, () => Promise<number>>} */
const jobs = {};
for (const name of names) {
  const make = contestants[name];
  if (!make) throw new TypeError(`bench/storms.js: there is no contestant ${name}`);
  /** @type {number[]} */
  const took = [];
  /** @type {Record<string, number>} */
  const outcome = { refreshes: 0, failed: 0, sent: 0, resends: 0 };
  outcomes[name] = outcome;
  jobs[name] = async () => {
    globalThis.Date = RealDate;
    const world = createWorld({ latency });
    const { call, stop } = await make({ api: API, renew: world.renew, answer: world.answer });
    world.forget();
    world.accepts = world.serial + 1;
    if (elapsed) setClockAhead(elapsed);
    const start = performance.now();
    const answers = await Promise.allSettled(Array.from({ length: CALLS }, (_, index) => call(`${API}/me?n=${index}`)));
    const time = performance.now() - start;
    const failed = answers.filter((it) => it.status === "rejected" || it.value.status !== 200).length;
    stop?.();
    const { refreshes, calls: sent, resends } = world;
    // The worst that was seen.
    for (const [what, count] of Object.entries({ refreshes, failed, sent, resends })) outcome[what] = Math.max(outcome[what] ?? 0, count);
    took.push(time);
    outcome.milliseconds = quantile(took, 0.5);
    return time;
  };
}
const { ratios } = await takeTurns(jobs, { base: names[0] ?? "", rounds: Number(rounds), warmUp: Number(rounds) > 5 ? 3 : 0 });
console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, { ...outcomes[name], time: ratios[name] }]))));
process.exit();
