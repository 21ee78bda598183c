// `npm run test:full`: what takes longer than a change should wait for. `npm test` comes first; nothing of it is repeated here but
// the browser scenarios, since a race that is lost once in a while shows only when it is run again.
import { createRun } from "./steps.js";

const repeats = Number(process.env.TOKENTIDE_REPEATS ?? 1);

const run = createRun();
run.check("build", "tsup", ["--silent"]);
for (let round = 1; round <= repeats; round++) {
  run.tests(`browser scenarios with soaks, round ${round} of ${repeats}`, ["--project", "browser"], { TOKENTIDE_LONG: "1" });
}
run.finish();
