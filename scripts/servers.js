// `npm run servers`: the cases on every real server, and the table of them in docs/servers.md.
import { createRun } from "./steps.js";

const run = createRun();
run.tests("real servers", ["--project", "unit", "test/servers/matrix/"], { TOKENTIDE_SERVERS: "all", TOKENTIDE_SERVERS_TABLE: "write" });
run.finish();
