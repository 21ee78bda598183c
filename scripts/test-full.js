// `npm run test:full`: what takes longer than a change should wait for, after `npm test`.
//   - the browser scenarios once more, since a race that is lost once in a while shows only when it is run again:
//     TOKENTIDE_REPEATS says how often (default 0)
//   - the ways to sign out and leave, of which `npm test` takes two, three times each
//   - the planted bugs of the simulator, of which `npm test` takes a few
//   - Jest, which is installed for that
//   - the runs of `test/browser/long/`: for TOKENTIDE_SOAK seconds (default 60); a run prints its seed, and TOKENTIDE_SEED repeats it
//   - all browser scenarios in Firefox and WebKit, where they are installed; TOKENTIDE_ENGINES, as in CI, names those that must be
//   - the servers that come with Debian, where they are installed; with TOKENTIDE_SERVERS=all, as in CI, one that is missing is a failure
import { missingServers } from "./debian-servers.js";
import { installedEngines, NO_ENGINES } from "./engines.js";
import { createRun } from "./steps.js";

const repeats = Number(process.env.TOKENTIDE_REPEATS ?? 0);

const run = createRun();
run.check("build", "tsup", ["--silent"]);
run.tests("long runs", ["--project", "browser", "test/browser/long/", "test/browser/sign-out.test.ts"], { TOKENTIDE_LONG: "1" });
run.tests("planted bugs", ["--project", "unit", "test/simulation/planted.test.ts"], { TOKENTIDE_LONG: "1" });
run.tests("Jest", ["--project", "package", "test/package/jest.test.ts"], { TOKENTIDE_LONG: "1" });
const missing = missingServers();
if (missing.length === 0 || process.env.TOKENTIDE_SERVERS === "all") {
  run.tests("real servers", ["--project", "unit", "test/servers/matrix/", "test/servers/debian/"], { TOKENTIDE_SERVERS: "all" });
} else {
  console.log(
    `\n── not run: ${missing.join(" and ")}, of Debian: \`node scripts/debian-servers.js\` installs them. Those of npm are in \`npm test\`.`,
  );
}
const engines = process.env.TOKENTIDE_ENGINES ?? installedEngines();
if (engines) {
  const projects = engines.split(",").flatMap((engine) => ["--project", engine]);
  run.tests(`browser scenarios in ${engines}`, projects, { TOKENTIDE_ENGINES: engines });
} else {
  console.log(NO_ENGINES);
}
for (let round = 1; round <= repeats; round++) run.tests(`browser scenarios again, ${round} of ${repeats}`, ["--project", "browser"]);
run.finish();
