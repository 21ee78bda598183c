// npm run bench:fleet [-- --clients N --seed N]   a simulated fleet over the real scheduling code; writes docs/fleet.md, .json and the pictures
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "docs" },
  },
});
const clients = Number(values.clients);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "node_modules", ".cache", `tokentide-fleet-${process.pid}`);
mkdirSync(folder, { recursive: true });
const outfile = join(folder, "fleet.mjs");
await build({
  absWorkingDir: root,
  entryPoints: ["bench/fleet/entry.ts"],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
});
const { fleet, figuresOf, markdown, picture } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true });

const figures = fleet(clients, Number(values.seed), console.log);
const out = (/** @type {string} */ name, /** @type {string} */ content) => writeFileSync(resolve(root, values.out, name), content);
const named = (/** @type {any[]} */ rows) =>
  rows.map(({ name, requests }) => ({ name: name.replace(/ \(.*/, "").replace(/,.*/, ""), values: requests }));
const { storms } = figures;
out("fleet.json", `${JSON.stringify({ clients, seed: Number(values.seed), ...figuresOf(figures) }, null, 2)}\n`);
out("fleet.md", markdown(figures, "npm run bench:fleet", clients));
out("fleet.svg", picture("Refreshes a second over time, as multiples of the fewest possible", named(figures.calm), 0));
out("fleet-outage.svg", picture("Requests a second around an outage of five minutes", named([storms[0], storms[3], storms[4]]), -5));
