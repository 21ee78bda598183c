import { rmSync } from "node:fs";
import { defineConfig } from "tsup";

// `clean` of one build would remove the declarations that the other has just written.
rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });

export default defineConfig([
  {
    entry: ["src/*.ts", "!src/errors.ts", "!src/vault-worker.ts"],
    format: "esm",
    target: "es2022",
    dts: true,
  },
  // An app may serve this file as it is, so it imports nothing.
  {
    entry: ["src/vault-worker.ts"],
    format: "esm",
    target: "es2022",
    dts: true,
    minify: true,
    splitting: false,
  },
]);
