// npm run leaving -- --engine firefox --times 50 --way close   signs out and leaves at once, in each of the ways of
// test/browser/sign-out.test.ts, and prints how often the next page was still signed in. `--way` picks those whose name has the text.
import { parseArgs } from "node:util";
import { load } from "./bundle.js";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "chromium" },
    times: { type: "string", default: "50" },
    way: { type: "string", default: "" },
  },
});
const times = Number(values.times);
if (!Number.isInteger(times) || times < 1) {
  console.error("npm run leaving -- --engine chromium|firefox|webkit --times N --way TEXT");
  process.exit(2);
}

process.env.TOKENTIDE_ENGINE = values.engine;
const { countLeavings } = await load("test/browser/harness/leaving.ts");
/** @type {import("../test/browser/harness/leaving.js").Tally[]} */
const tallies = await countLeavings(times, values.way, console.log);

const count = (/** @type {number} */ found) => `${found} of ${times}`;
console.log("\n| way | found again | refresh token left | not measured |\n| --- | ---: | ---: | ---: |");
for (const { name, signedIn, tokenLeft, errors } of tallies)
  console.log(`| ${name} | ${count(signedIn)} | ${count(tokenLeft)} | ${errors.length} |`);
process.exit(tallies.length > 0 && tallies.every(({ signedIn, tokenLeft, errors }) => signedIn + tokenLeft + errors.length === 0) ? 0 : 1);
