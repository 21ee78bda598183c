// `npm run test:engines`: the browser scenarios in Firefox and WebKit, from Debian's packages
// (apt-get install firefox-esr webkit2gtk-driver xvfb procps). TOKENTIDE_ENGINES names others, TOKENTIDE_REPEATS says how often.
import { createRun } from "./steps.js";

const engines = process.env.TOKENTIDE_ENGINES ?? "firefox,webkit";
const repeats = Number(process.env.TOKENTIDE_REPEATS ?? 1);

const run = createRun();
const projects = engines.split(",").flatMap((engine) => ["--project", engine]);
for (let round = 1; round <= repeats; round++) run.tests(`${engines}, ${round} of ${repeats}`, projects, { TOKENTIDE_ENGINES: engines });
run.finish();
