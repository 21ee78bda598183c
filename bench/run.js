// npm run bench [-- --only sizes,calls,storms,tabs,energy,start,restored,dpop,browser] [-- --quick]   measures tokentide beside its peers; writes
// docs/benchmarks.json, docs/benchmarks.md and the figures in the README. Parts that are not run keep their last figures.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { build } from "esbuild";
import { load } from "../scripts/bundle.js";
import { updateReadme } from "./readme.js";
import { markdown } from "./report.js";
import { imports, partsOf, sizeOf, waysOf } from "./sizes.js";

const everything = ["sizes", "calls", "storms", "tabs", "energy", "start", "restored", "dpop", "browser"];
const { values } = parseArgs({
  options: { only: { type: "string", default: everything.join() }, quick: { type: "boolean", default: false } },
});
const { quick } = values;
const only = values.only.split(",");
const unknown = only.filter((part) => !everything.includes(part));
if (unknown.length > 0) {
  console.error(`--only takes ${everything.join(", ")}; ${unknown.join(", ")} is none of them`);
  process.exit(2);
}
const few = (/** @type {number} */ count) => (quick ? Math.ceil(count / 10) : count);

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");
const command = (/** @type {string} */ name, /** @type {string[]} */ args, /** @type {string} */ cwd) => {
  if (spawnSync(name, args, { cwd, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" }).status !== 0)
    throw new Error(`${name} ${args.join(" ")} failed`);
};
const { dependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const isInstalled = (/** @type {[name: string, version: string]} */ [name, version]) => {
  const manifest = join(here, "node_modules", name, "package.json");
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === version.replace(/^npm:.*@/, "");
};
if (!Object.entries(dependencies).every(isInstalled)) command("npm", ["ci", "--ignore-scripts"], here);
command("npm", ["run", "build", "--", "--silent"], root);
await build({
  entryPoints: [join(root, "dist", "index.js")],
  outfile: join(here, "node_modules", ".cache", "tokentide.mjs"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "error",
});

/** What a script of this folder prints, from a process of its own. */
async function run(/** @type {string} */ script, /** @type {(string | number)[]} */ args, /** @type {string[]} */ flags = []) {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, join(here, script), ...args.map(String)], {
    cwd: root,
    timeout: 180_000,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

/** @type {Record<string, () => Promise<unknown>>} */
const measure = {
  async sizes() {
    /** @type {Record<string, number | null>} */
    const sizes = {};
    for (const [name, contents] of Object.entries(imports)) sizes[name] = await sizeOf(contents, here).catch(() => null);
    return { sizes, ways: await waysOf(here), parts: await partsOf(root) };
  },

  async calls() {
    /** @type {Record<string, object>} */
    const outcome = {};
    for (const [way, rounds] of Object.entries({ stub: 400, building: 400, request: 400, loopback: 300, allocations: 40 })) {
      // A new space into which all of a batch fits, so that nothing of it is collected before it was counted.
      const flags = way === "allocations" ? ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"] : [];
      const own = await run("calls.js", [way, "own", few(rounds)], flags);
      const peers = await run("calls.js", [way, "peers", few(rounds / 4)], flags);
      outcome[way] = { each: own.each, ratios: { ...peers.ratios, ...own.ratios }, failures: { ...own.failures, ...peers.failures } };
      console.log(`calls: ${way}`);
    }
    return outcome;
  },

  async storms() {
    /** @type {Record<string, object>} */
    const outcome = {};
    // Waits for locks for a minute each time: once is enough.
    const slowest = "@auth0/auth0-spa-js";
    const peers = ["@badgateway/oauth2-client", "ky with a hook", "keycloak-js", "oidc-client-ts", "supertokens-website"];
    peers.push("@supabase/auth-js", "axios + axios-auth-refresh", "@okta/okta-auth-js", slowest);
    for (const kind of ["expired", "revoked", "late"]) {
      const own = await run("storms.js", [kind, few(40), "60-line floor", "tokentide"]);
      /** @type {Record<string, object>} */
      const theirs = {};
      for (const peer of peers) {
        if (peer === slowest && kind !== "revoked") continue;
        // Each beside the floor, in a process of its own: what one of them leaves behind is not met by the next.
        const both = await run("storms.js", [kind, peer === slowest ? 1 : few(10), "60-line floor", peer]).catch((error) => ({
          [peer]: { failure: String(error.stderr ?? error) },
        }));
        theirs[peer] = both[peer];
      }
      outcome[kind] = { ...theirs, ...own };
      console.log(`storms: ${kind}`);
    }
    return outcome;
  },

  async tabs() {
    const { rotations } = await load("bench/virtual/entry.ts");
    const outcome = [];
    for (const count of [1, 10, 50, 100]) outcome.push(await rotations(count));
    return outcome;
  },

  async energy() {
    const { energy } = await load("bench/virtual/entry.ts");
    return energy();
  },

  async start() {
    const { startOfPage } = await load("bench/browser/entry.ts");
    return startOfPage({ quick, log: console.log });
  },

  async restored() {
    const { restoredSession } = await load("bench/browser/entry.ts");
    return restoredSession({ quick, log: console.log });
  },

  async dpop() {
    const { callsWithProofs } = await load("bench/browser/entry.ts");
    return callsWithProofs({ quick, log: console.log });
  },

  async browser() {
    const { betweenTabs } = await load("bench/browser/entry.ts");
    return betweenTabs({ quick, log: (/** @type {string} */ line) => console.log(`browser: ${line}`) });
  },
};

const file = join(root, "docs", "benchmarks.json");
const figures = JSON.parse(readFileSync(file, "utf8"));
figures.versions = dependencies;
figures.runs ??= {};
for (const former of ["node", "rounds", "date", "stub", "building"]) delete figures[former];
const failures = [];
for (const [part, job] of Object.entries(measure).filter(([name]) => only.includes(name))) {
  const load = Number((loadavg()[0] ?? 0).toFixed(1));
  try {
    const outcome = await Promise.race([job(), overdue()]);
    if (part === "sizes") Object.assign(figures, outcome);
    else figures[part] = outcome;
    figures.runs[part] = { date: new Date().toISOString().slice(0, 10), node: process.version, quick, load };
    // What was measured is kept, whatever comes next.
    writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
  } catch (error) {
    failures.push(part);
    console.error(`${part} failed, and keeps its last figures:`, error);
  }
}

/** A part that hangs is not waited for. */
function overdue() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("it took longer than seven minutes")), 420_000).unref());
}

const missing = everything.filter((part) => !figures.runs[part]);
if (missing.length > 0) {
  console.error(`docs/benchmarks.md needs ${missing.join(", ")}, too, which were never run.`);
  process.exit(1);
}
const text = markdown(figures);
writeFileSync(join(root, "docs", "benchmarks.md"), text);
updateReadme(join(root, "README.md"), figures);
console.log(text);
process.exit(failures.length ? 1 : 0);
