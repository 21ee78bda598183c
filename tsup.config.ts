import { defineConfig } from "tsup";

export default defineConfig([
  {
    entry: ["src/*.ts", "!src/errors.ts", "!src/vault-worker.ts"],
    format: "esm",
    target: "es2022",
    dts: true,
    clean: ["dist/**", "!dist/vault-worker.*"],
  },
  // An app may serve this file as it is, so it imports nothing.
  {
    entry: ["src/vault-worker.ts"],
    format: "esm",
    target: "es2022",
    dts: true,
    clean: ["dist/vault-worker.*"],
    minify: true,
    splitting: false,
  },
]);
