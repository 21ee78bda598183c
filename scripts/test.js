// `npm test`: everything a change can break, in Firefox and WebKit, where they are installed, the scenarios of the store alone;
// `npm run test:full` runs all of them there. The last line is the count.
import { describeChromium, findChromium } from "./chromium.js";
import { installedEngines, NO_ENGINES } from "./engines.js";
import { createRun } from "./steps.js";

const engines = process.env.TOKENTIDE_ENGINES ?? installedEngines();

const run = createRun();
await run.ensure("browser", async () => describeChromium(await findChromium()));
run.check("types", "typescript", ["--noEmit"], "tsc");
run.check("lint", "@biomejs/biome", ["check", "--error-on-warnings", "."], "biome");
run.check("build", "tsup", ["--silent"]);
// They import the built package, as an app does.
run.check("types of the examples", "vue-tsc", ["--noEmit", "-p", "examples"]);
run.check("publint", "publint", ["--strict"]);
run.tests("tests", process.argv.slice(2), { TOKENTIDE_ENGINES: engines, TOKENTIDE_FEW: "1" });
if (!engines) console.log(NO_ENGINES);
run.finish();
