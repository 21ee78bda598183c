import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { onTestFinished, vi } from "vitest";
import type { Session } from "../../src/index.js";
import type { Api } from "./api.js";

// Some packages take long to load; nothing here waits for time to pass.
vi.setConfig({ testTimeout: 60_000 });

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The package is what lies in src/. */
const fromSource: Plugin = {
  name: "from source",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^tokentide(\/|$)/ }, ({ path }) => ({ path: join(root, "src", `${path.split("/")[1] ?? "index"}.ts`) })),
};

/** Runs the sample of docs/libraries.md below that heading, with the API of the test as `api.example.com`. Resolves with what it exports. */
export async function runSample<Exports>(heading: string, api: Api, session: Session): Promise<Exports> {
  const section = readFileSync(join(root, "docs", "libraries.md"), "utf8")
    .split(`\n## ${heading}\n`)[1]
    ?.split("\n## ")[0];
  const code = /^```ts\b[^\n]*\n(.*?)^```$/ms.exec(section ?? "")?.[1];
  if (!code) throw new Error(`docs/libraries.md has no sample below "${heading}"`);
  const { outputFiles } = await build({
    stdin: {
      // Captured when it is loaded: what it leaves running must not come upon the session of the next test.
      contents: `const session = globalThis.sessionOfSample;
        ${code.replaceAll("https://api.example.com", api.origin).replaceAll("wss://api.example.com", api.origin.replace("http", "ws"))}`,
      loader: "ts",
      resolveDir: root,
    },
    plugins: [fromSource],
    bundle: true,
    packages: "external",
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  // Where Node finds the packages.
  const folder = mkdtempSync(join(root, "node_modules", ".sample-"));
  vi.stubGlobal("sessionOfSample", session);
  onTestFinished(() => {
    vi.unstubAllGlobals();
    rmSync(folder, { recursive: true, force: true });
  });
  writeFileSync(join(folder, "sample.mjs"), outputFiles[0]!.text);
  return import(/* @vite-ignore */ pathToFileURL(join(folder, "sample.mjs")).href);
}
