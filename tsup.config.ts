import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/*.ts", "!src/errors.ts"],
  format: "esm",
  target: "es2022",
  dts: true,
  clean: true,
});
