// npm run bench [-- --rounds N]   measures tokentide beside its peers; writes docs/benchmarks.json and docs/benchmarks.md
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { markdown } from "./report.js";
import { imports, partsOf, sizeOf } from "./sizes.js";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "40" } } });
const rounds = Number(values.rounds);
const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");
const command = (/** @type {string} */ name, /** @type {string[]} */ args, /** @type {string} */ cwd) => {
  if (spawnSync(name, args, { cwd, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" }).status !== 0)
    throw new Error(`${name} ${args.join(" ")} failed`);
};
if (!existsSync(join(here, "node_modules"))) command("npm", ["ci", "--ignore-scripts"], here);
command("npm", ["run", "build", "--", "--silent"], root);
const bundle = join(here, "node_modules", ".cache", "tokentide.mjs");
await build({
  entryPoints: [join(root, "dist", "index.js")],
  outfile: bundle,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
});
const { api, contestants } = await import("./contestants.js");

const plainFetch = globalThis.fetch;
const answer = (/** @type {unknown} */ body, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

/** A stub that takes the token it likes, after a while, and an auth server that gives one which it likes. */
function world({ accepted = "token-1", delay = 0 }) {
  const counts = { refreshes: 0, calls: 0 };
  const later = () => new Promise((resolve) => setTimeout(resolve, delay));
  const renew = async () => {
    counts.refreshes++;
    await later();
    return { access_token: "token-2", refresh_token: "refresh-2", expires_in: 3600, token_type: "Bearer" };
  };
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.url.startsWith("https://auth.")) return answer(await renew());
    counts.calls++;
    if (delay) await later();
    return request.headers.get("authorization") === `Bearer ${accepted}` ? answer({}) : answer({}, 401);
  };
  return { counts, renew };
}

const median = (/** @type {number[]} */ list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const quartiles = (/** @type {number[]} */ list) => {
  const sorted = [...list].sort((a, b) => a - b);
  return [sorted[Math.floor(sorted.length / 4)], sorted[Math.floor((sorted.length * 3) / 4)]];
};

/** Each is shown to do it once; then all take turns, so that noise meets all alike. */
async function oneCall(/** @type {(input: any, init?: any) => Promise<Response>} */ stub) {
  const calls = {};
  const stops = [];
  for (const [name, make] of Object.entries(contestants)) {
    const { counts, renew } = world({});
    const made = await make(renew);
    const response = await made.call(`${api}/me`);
    if (response.status !== 200 || counts.refreshes || counts.calls !== 1) throw new Error(`${name} does not do it`);
    calls[name] = made.call;
    stops.push(made.stop);
  }
  globalThis.fetch = stub;
  const names = Object.keys(calls);
  const ratios = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -5; round < rounds; round++) {
    const times = {};
    const order = round % 2 ? [...names].reverse() : names;
    for (const name of order) {
      const call = calls[name];
      const start = performance.now();
      for (let index = 0; index < 1500; index++) await call(`${api}/me`);
      times[name] = performance.now() - start;
    }
    if (round >= 0) for (const name of names) ratios[name].push(times[name] / times["header by hand"]);
  }
  for (const stop of stops) stop?.();
  return Object.fromEntries(names.map((name) => [name, { median: median(ratios[name]), quartiles: quartiles(ratios[name]) }]));
}

/** A thousand calls at once with a token that has been revoked. */
async function storm() {
  const outcome = {};
  for (const [name, make] of Object.entries(contestants)) {
    if (name === "header by hand") continue;
    const { counts, renew } = world({ accepted: "token-2", delay: 5 });
    const { call, stop } = await make(renew);
    const answers = await Promise.allSettled(Array.from({ length: 1000 }, () => call(`${api}/me`)));
    const failed = answers.filter((it) => it.status === "rejected" || it.value.status !== 200).length;
    outcome[name] = { refreshes: counts.refreshes, failed, calls: counts.calls };
    stop?.();
  }
  return outcome;
}

const sizes = {};
for (const [name, contents] of Object.entries(imports)) sizes[name] = await sizeOf(contents, here).catch(() => null);
const parts = await partsOf(root);
const stub = await oneCall(async () => new Response("{}"));
const building = await oneCall(async (input, init) => {
  new Request(input, init);
  return new Response("{}");
});
const storms = await storm();
globalThis.fetch = plainFetch;
const { dependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const figures = {
  node: process.version,
  rounds,
  date: new Date().toISOString().slice(0, 10),
  versions: dependencies,
  sizes,
  parts,
  stub,
  building,
  storms,
};
writeFileSync(join(root, "docs", "benchmarks.json"), `${JSON.stringify(figures, null, 2)}\n`);
writeFileSync(join(root, "docs", "benchmarks.md"), markdown(figures));
console.log(markdown(figures));
process.exit(0);
