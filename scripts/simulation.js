// Bundles the simulation, so that plain node can run it.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * A change to the shipping code, made as it is bundled.
 * @typedef {{ file: string, from: string, to: string }} Patch
 */

/**
 * The other release of the library, for the feature "releases": it has a later format, and a sign-in writes a member that this release does not
 * know.
 * @type {Patch[]}
 */
export const OTHER_RELEASE = [
  { file: "src/ledger/format.ts", from: "export const FORMAT = 1;", to: "export const FORMAT = 2;" },
  { file: "src/ledger/tokens-issued.ts", from: "signedIn: true,", to: 'signedIn: true, ...(begins && { flavour: "vanilla" }),' },
];

/** The file whose imports are those of the other release. */
const OTHER = join(root, "test/simulation/features/other-release.ts");

/**
 * @param {Patch[]} [patches]
 * @param {Patch[]} [others] the patches of the other release
 * @returns {Promise<string>} the bundle's path
 */
export async function bundleSimulation(patches = [], others = OTHER_RELEASE) {
  const outfile = join(mkdtempSync(join(tmpdir(), "tokentide-simulation-")), "simulation.mjs");
  const applied = new Set();
  /** @param {string} path @param {Patch[]} list */
  function patched(path, list) {
    let contents = readFileSync(path, "utf8");
    for (const patch of list.filter(({ file }) => path === join(root, file))) {
      if (contents.split(patch.from).length !== 2) throw new Error(`${patch.file} has no single place that says: ${patch.from}`);
      contents = contents.replace(patch.from, () => patch.to);
      applied.add(patch);
    }
    return contents;
  }
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
        setup({ onLoad, onResolve }) {
          onResolve({ filter: /^\./ }, ({ importer, namespace, path }) =>
            importer === OTHER || namespace === "other-release"
              ? { path: join(dirname(importer), path).replace(/\.js$/, ".ts"), namespace: "other-release" }
              : undefined,
          );
          onLoad({ filter: /[\\/]src[\\/].*\.ts$/, namespace: "file" }, ({ path }) => ({ contents: patched(path, patches), loader: "ts" }));
          onLoad({ filter: /./, namespace: "other-release" }, ({ path }) => ({
            contents: patched(path, others),
            loader: "ts",
            resolveDir: dirname(path),
          }));
        },
      },
    ],
  });
  for (const patch of [...patches, ...others]) if (!applied.has(patch)) throw new Error(`${patch.file} is not part of the simulation`);
  return outfile;
}
