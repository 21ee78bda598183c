import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const browserTests = "test/browser/**/*.test.ts";
const packageTests = "test/package/**/*.test.ts";
const frameworkTests = "test/frameworks/**/*.test.{ts,tsx}";
const longTests = "test/browser/long/**";
const debianTests = "test/servers/debian/**";
/** All of them, as `npm run test:full` asks for; else those of npm. */
const servers = process.env.TOKENTIDE_SERVERS === "all";
const long = process.env.TOKENTIDE_LONG === "1";

const react18 = fileURLToPath(new URL("test/frameworks/react-18/node_modules", import.meta.url));

/** `npm run test:engines` names them; one that is not installed then fails. */
const engines = process.env.TOKENTIDE_ENGINES?.split(",").filter(Boolean) ?? [];
/** What runs there in `npm test`, for which all of them would take too long. */
const few = process.env.TOKENTIDE_FEW === "1" && ["test/browser/session.test.ts"];

/** Real tabs, which mostly wait: a few files at a time, after everything that needs the processor, since their deadlines are real. */
const engine = (name: string, engine: string, exclude: string[], include = [browserTests]) => ({
  test: {
    name,
    include,
    exclude,
    maxWorkers: 3,
    env: { TOKENTIDE_ENGINE: engine },
    // What comes at once on an idle machine takes seconds on one that is just starting another browser.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { groupOrder: 2 },
  },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [browserTests, packageTests, frameworkTests, ...(servers ? [] : [debianTests])],
          // Time is virtual in most of them, and real servers start in some: the real time only tells how busy the machine is.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      // The bindings in their frameworks, as a browser's bundler would have them.
      {
        plugins: [svelte({ configFile: false })],
        resolve: { conditions: ["browser"] },
        test: {
          name: "frameworks",
          include: [frameworkTests],
          environment: "happy-dom",
          testTimeout: 60_000,
          server: { deps: { inline: ["solid-js", "svelte"] } },
          sequence: { groupOrder: 0 },
        },
      },
      // The same tests on the oldest React that is supported; it lies beside them.
      {
        resolve: { alias: [{ find: /^(react|react-dom)(?=$|\/)/, replacement: `${react18}/$1` }] },
        test: {
          name: "react-18",
          include: ["test/frameworks/react*.test.tsx"],
          environment: "happy-dom",
          testTimeout: 60_000,
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
      engine("browser", "chromium", long ? [] : [longTests]),
      // One text of the scenarios for all engines; what is Chromium's alone is left out.
      ...engines.map((name) =>
        engine(
          name,
          name,
          [longTests, "test/browser/demo.test.ts", "test/browser/frozen.test.ts", "test/browser/hidden.test.ts"],
          few || undefined,
        ),
      ),
    ],
  },
});
