// Bundles the simulation, so that plain node can run it.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * A change to the shipping code, made as it is bundled.
 * @typedef {{ file: string, from: string, to: string }} Patch
 */

/**
 * @param {Patch[]} [patches]
 * @returns {Promise<string>} the bundle's path
 */
export async function bundleSimulation(patches = []) {
  const outfile = join(mkdtempSync(join(tmpdir(), "tokentide-simulation-")), "simulation.mjs");
  const applied = new Set();
  await build({
    absWorkingDir: root,
    entryPoints: ["test/simulation/main.ts"],
    inject: ["test/simulation/platform/globals.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    logLevel: "silent",
    plugins: [
      {
        name: "patches",
        setup({ onLoad }) {
          onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
            let contents = readFileSync(path, "utf8");
            for (const patch of patches.filter(({ file }) => path === join(root, file))) {
              if (contents.split(patch.from).length !== 2) throw new Error(`${patch.file} has no single place that says: ${patch.from}`);
              contents = contents.replace(patch.from, () => patch.to);
              applied.add(patch);
            }
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  for (const patch of patches) if (!applied.has(patch)) throw new Error(`${patch.file} is not part of the simulation`);
  return outfile;
}
