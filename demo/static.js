// `npm run demo:static`: builds the page with a back end of its own into demo/dist/, and serves it. `--build` only builds.
// Any server can host the folder as files, because its addresses are relative.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build, preview } from "vite";

const USUAL_PORT = 4781;
const root = fileURLToPath(new URL("page", import.meta.url));
const worker = createRequire(import.meta.url).resolve("msw/mockServiceWorker.js");

/** @param {string} [folder] */
export async function buildStatic(folder = fileURLToPath(new URL("dist", import.meta.url))) {
  await build({
    configFile: false,
    root,
    mode: "static",
    base: "./",
    logLevel: "warn",
    build: { outDir: folder, emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 1000 },
    plugins: [
      {
        name: "worker",
        generateBundle() {
          this.emitFile({ type: "asset", fileName: "mockServiceWorker.js", source: readFileSync(worker, "utf8") });
        },
      },
    ],
  });
  return folder;
}

/**
 * Serves a folder as files.
 * @param {string} folder
 * @param {number} [port] when the port is in use, the server takes another one
 * @param {string} [base] the path of the folder's page
 */
export async function serveStatic(folder, port = USUAL_PORT, base = "/") {
  const server = await preview({
    configFile: false,
    root,
    base,
    logLevel: "error",
    build: { outDir: folder },
    preview: { port, host: "localhost", strictPort: false },
  });
  return { url: server.resolvedUrls?.local[0] ?? "", close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = await buildStatic();
  console.log(`\n  tokentide demo, as files\n  ${folder}`);
  if (!process.argv.includes("--build")) {
    const { url } = await serveStatic(folder);
    console.log(`  ${url}\n\n  Everything runs in the page. Ctrl-C ends it.\n`);
  }
}
