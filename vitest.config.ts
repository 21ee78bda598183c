import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const browserTests = "test/browser/**/*.test.ts";
const packageTests = "test/package/**/*.test.ts";
const frameworkTests = "test/frameworks/**/*.test.{ts,tsx}";
const longTests = "test/browser/long/**";
/** It installs Jest first. */
const jestTest = "test/package/jest.test.ts";
const debianTests = "test/servers/debian/**";
/** All of them, as `npm run test:full` asks for; else those of npm. */
const servers = process.env.TOKENTIDE_SERVERS === "all";
const long = process.env.TOKENTIDE_LONG === "1";

/** `npm run test:engines` names them; one that is not installed then fails. */
const engines = process.env.TOKENTIDE_ENGINES?.split(",").filter(Boolean) ?? [];
/** What runs there in `npm test`, for which all of them would take too long. */
const few = process.env.TOKENTIDE_FEW === "1" && ["test/browser/store.test.ts"];

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

/** A binding's tests once more, on the oldest version that is supported: it lies beside them, in a folder of this name. */
const oldest = (name: string, tests: string, packages: RegExp): TestProjectInlineConfiguration => ({
  plugins: [
    {
      name,
      enforce: "pre",
      resolveId(id, _importer, options) {
        const beside = fileURLToPath(new URL(`test/frameworks/${name}/package.json`, import.meta.url));
        return packages.test(id) ? this.resolve(id, beside, { ...options, skipSelf: true }) : undefined;
      },
    },
  ],
  test: {
    name,
    include: [`test/frameworks/${tests}`],
    environment: "happy-dom",
    testTimeout: 60_000,
    sequence: { groupOrder: 0 },
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
      // The scenarios once more, with the refresh tokens in a worker. Those of `dpop` have keys in the page.
      {
        test: {
          name: "vault",
          include: ["test/scenarios/**/*.test.ts"],
          exclude: ["test/scenarios/dpop*", "test/scenarios/vault*"],
          env: { TOKENTIDE_VAULT: "1" },
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
      oldest("react-18", "react*.test.tsx", /^react(-dom)?($|\/)/),
      oldest("vue-3.4", "vue.test.ts", /^vue(-router)?($|\/)/),
      oldest("angular-19", "angular.test.ts", /^@angular\//),
      // What is published: read from dist/, so `npm run build` comes first.
      {
        test: {
          name: "package",
          include: [packageTests],
          exclude: long ? [] : [jestTest],
          // Errors elsewhere are the business of `tsc --noEmit`, which is a step of its own.
          typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "./tsconfig.json", ignoreSourceErrors: true },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      engine("browser", "chromium", long ? [] : [longTests]),
      // One text of the scenarios for all engines; what is Chromium's alone is left out.
      ...engines.map((name) => engine(name, name, [longTests, "test/browser/demo.test.ts"], few || undefined)),
    ],
  },
});
