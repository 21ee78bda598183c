// TypeScript that plain node is to run: one file, in which each module still knows where its own source lies.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function load(/** @type {string} */ entry) {
  // In node_modules, so that the packages are found from there.
  const folder = join(root, "node_modules", ".cache", `tokentide-${process.pid}`);
  const outfile = join(folder, `${entry.replace(/\W/g, "-")}.mjs`);
  mkdirSync(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
    plugins: [
      {
        name: "own-address",
        setup({ onLoad }) {
          onLoad({ filter: /\.[jt]s$/ }, ({ path }) => ({
            contents: readFileSync(path, "utf8").replaceAll("import.meta.url", () => JSON.stringify(pathToFileURL(path).href)),
            loader: path.endsWith(".ts") ? "ts" : "js",
          }));
        },
      },
    ],
  });
  const loaded = await import(pathToFileURL(outfile).href);
  rmSync(folder, { recursive: true });
  return loaded;
}
