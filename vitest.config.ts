import { defineConfig } from "vitest/config";

const browserTests = "test/browser/**/*.test.ts";
const packageTests = "test/package/**/*.test.ts";
const longTests = "test/browser/long/**";
const long = process.env.TOKENTIDE_LONG === "1";

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [browserTests, packageTests],
          sequence: { groupOrder: 0 },
        },
      },
      // What is published: read from dist/, so `npm run build` comes first.
      {
        test: {
          name: "package",
          include: [packageTests],
          // Errors elsewhere are the business of `tsc --noEmit`, which is a step of its own.
          typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "./tsconfig.json", ignoreSourceErrors: true },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      // Real tabs, which mostly wait: two files at a time, after everything that needs the processor, since their deadlines are real.
      {
        test: {
          name: "browser",
          include: [browserTests],
          exclude: long ? [] : [longTests],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
