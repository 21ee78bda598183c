// npm run soak -- --minutes 30 --tabs 12   real tabs in a real Chromium for a while; writes what it measured to docs/soak.md
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { load } from "./bundle.js";
import { failed, markdown, rows } from "./soak-report.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    tabs: { type: "string", default: "12" },
    out: { type: "string", default: "docs/soak.md" },
  },
});
const minutes = Number(values.minutes);
const tabs = Number(values.tabs);
if (!(minutes > 0) || !(tabs >= 2)) {
  console.error("npm run soak -- --minutes M --tabs N, with at least 2 tabs");
  process.exit(2);
}

const root = fileURLToPath(new URL("..", import.meta.url));
const { soak } = await load("test/soak/soak.ts");

const git = (/** @type {string[]} */ ...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
const changed = git("status", "--porcelain", "--", "src", "servers", "test/soak") !== "";
const commit = `${git("rev-parse", "--short", "HEAD")}${changed ? ", with changes that are not in it" : ""}`;
const figures = {
  date: new Date().toISOString().slice(0, 10),
  command: `npm run soak -- --minutes ${minutes} --tabs ${tabs}`,
  commit,
  minutes,
  tabs,
  ...(await soak({ minutes, tabs, log: console.log })),
};
for (const [what, value] of rows(figures)) console.log(`${what.padEnd(50)} ${value}`);
writeFileSync(resolve(root, values.out), markdown(figures));
console.log(`written to ${values.out}`);
process.exit(failed(figures) ? 1 : 0);
