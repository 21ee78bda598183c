// `npm run test:full`: what takes longer than a change should wait for, after `npm test`.
//   - the browser scenarios once more, since a race that is lost once in a while shows only when it is run again:
//     TOKENTIDE_REPEATS says how often (default 0)
//   - the runs of `test/browser/long/`: for TOKENTIDE_SOAK seconds (default 60); a run prints its seed, and TOKENTIDE_SEED repeats it
import { createRun } from "./steps.js";

const repeats = Number(process.env.TOKENTIDE_REPEATS ?? 0);

const run = createRun();
run.check("build", "tsup", ["--silent"]);
run.tests("long runs", ["--project", "browser", "test/browser/long/"], { TOKENTIDE_LONG: "1" });
for (let round = 1; round <= repeats; round++) run.tests(`browser scenarios again, ${round} of ${repeats}`, ["--project", "browser"]);
run.finish();
