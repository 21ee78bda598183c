import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { AUTH } from "./dpop-provider.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Bundles the first sample of a page in docs/ as it is. What a browser has as globals comes from the page in which it runs. The userinfo endpoint
 * is an API of its session, too.
 */
export async function bundledSample(file: string): Promise<string> {
  const [, sample] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, file), "utf8")) ?? [];
  const { outputFiles } = await build({
    stdin: { contents: sample!, loader: "ts", resolveDir: root },
    plugins: [
      {
        name: "in a test's browser",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^tokentide$/ }, () => ({ path: "tokentide", namespace: "page" }));
          onLoad({ filter: /.*/, namespace: "page" }, () => ({
            contents: `
              import { createSession as create, vault as make } from "./src/index.ts";
              export * from "./src/index.ts";
              export const vault = ({ worker, ...options }) => make({ worker: () => workerAt(worker), shared: true, ...options });
              export const createSession = ({ allowedOrigins, ...options }) =>
                create({ ...options, allowedOrigins: [...allowedOrigins, "${AUTH}"], environment });`,
            resolveDir: root,
          }));
        },
      },
    ],
    banner: { js: "const { fetch, crypto, location, sessionStorage, environment, workerAt } = globalThis.page;" },
    ...{ bundle: true, format: "esm", platform: "node", target: "es2022", write: false, logLevel: "silent" },
  });
  return outputFiles[0]!.text;
}
