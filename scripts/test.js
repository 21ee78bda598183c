// `npm test`: everything a change can break. The last line is the count.
import { describeChromium, findChromium } from "./chromium.js";
import { createRun } from "./steps.js";

const run = createRun();
await run.ensure("browser", async () => describeChromium(await findChromium()));
run.check("types", "typescript", ["--noEmit"], "tsc");
run.check("lint", "@biomejs/biome", ["check", "--error-on-warnings", "."], "biome");
run.check("build", "tsup", ["--silent"]);
// They import the built package, as an app does.
run.check("types of the examples", "vue-tsc", ["--noEmit", "-p", "examples"]);
run.check("publint", "publint", ["--strict"]);
run.tests("tests", process.argv.slice(2));
run.finish();
