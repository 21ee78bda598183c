import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";
import { build } from "vite";
import webpack from "webpack";

/** What an app writes: a worker of its own, with the client in it, and a session that knows where the worker is. */
const files = {
  "vault-worker.js": `
    import { keepTokens } from "tokentide/vault-worker";
    keepTokens({ tokenEndpoint: "/oauth/token", clientId: "tokentide-demo" });`,
  "app.js": `
    import { createSession, vault } from "tokentide";
    const client = { tokenEndpoint: "/oauth/token", clientId: "tokentide-demo" };
    const own = () => new SharedWorker(new URL("./vault-worker.js", import.meta.url), { type: "module", name: "vault-worker", extendedLifetime: true });
    const worker = location.search === "?packed" ? "/packed.js" : own;
    globalThis.app = { session: createSession({ refresh: vault({ worker, ...client }), lead: 5000 }) };`,
  "index.html": `<!doctype html><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,"><script type="module" src="/app.js"></script>`,
};

/** The app's own file for each bundler, in words that its documentation would use. Each output has fixed names: a deploy must not change them. */
const bundlers: Record<string, (from: string, to: string) => Promise<unknown>> = {
  Vite: (root, outDir) =>
    build({
      root,
      logLevel: "error",
      configFile: false,
      build: { outDir },
      worker: { format: "es", rolldownOptions: { output: { entryFileNames: "[name].js" } } },
    }),
  webpack: async (context, path) => {
    const compiler = webpack({
      context,
      mode: "production",
      entry: { app: "./app.js" },
      output: { path, publicPath: "/", filename: "[name].js", workerChunkFilename: "[name].js" },
    });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error, stats) => (error || stats?.hasErrors() ? reject(error ?? new Error(`${stats}`)) : resolve()));
    });
    copyFileSync(join(context, "index.html"), join(path, "index.html"));
  },
  Rollup: async (from, dir) => {
    const bundle = await rollup({
      input: [join(from, "app.js"), join(from, "vault-worker.js")],
      plugins: [nodeResolve({ browser: true })],
    });
    await bundle.write({ dir, entryFileNames: "[name].js" });
    copyFileSync(join(from, "index.html"), join(dir, "index.html"));
  },
};

export const names = Object.keys(bundlers);

/** Builds the app in a folder where the package is installed. Returns the folder of the built files. */
export async function buildWith(name: string, folder: string): Promise<string> {
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const built = join(folder, `built-${name}`);
  mkdirSync(built);
  await bundlers[name]!(folder, built);
  // The other way: the app serves the published file as it is.
  copyFileSync(join(folder, "node_modules", "tokentide", "dist", "vault-worker.js"), join(built, "packed.js"));
  return built;
}
