import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Session } from "../../src/types/index.js";
import { root, temporaryFolder } from "./dist.js";
import { openPage } from "./page.js";
import { OLD, type Recipe, recipes } from "./recipes.js";
import { complaints, type Sample, samplesOf } from "./samples.js";

const readme = samplesOf("README.md");
const inDocs = ["docs/devtools.md", "docs/frameworks.md", "docs/libraries.md", "docs/testing.md"].flatMap(samplesOf);
/** Whole files, which `test/servers/dpop.test.ts` and `test/servers/vault.test.ts` run on a real server. */
const logins = ["docs/dpop.md", "docs/vault.md"].flatMap(samplesOf);
const samples = [...readme, ...inDocs, ...logins];

/** The package as it is published; each session that a sample makes is noted, since most of them keep it to themselves. */
const published: Plugin = {
  name: "published",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^tokentide$/ }, () => ({ path: "tokentide", namespace: "noting" }));
    onResolve({ filter: /^tokentide\// }, ({ path }) => ({ path: join(root, "dist", `${path.slice("tokentide/".length)}.js`) }));
    onLoad({ filter: /.*/, namespace: "noting" }, () => ({
      contents: `
        import { createSession as create } from "./dist/index.js";
        export * from "./dist/index.js";
        export function createSession(options) {
          const session = create(options);
          globalThis.sessions.push(session);
          return session;
        }`,
      resolveDir: root,
    }));
  },
};

const givenSession = `
  import { createSession as makeOne, oauth2 as by } from "tokentide";
  globalThis.session = makeOne({
    refresh: by({ tokenEndpoint: "https://auth.example.com/token", clientId: "spa" }),
    allowedOrigins: ["https://api.example.com"],
  });
  await globalThis.session.signIn(tokenResponse);
`;

/** Runs the sample as an app would. */
async function execute({ code }: Sample, { needsSession }: Partial<Recipe> = {}): Promise<Record<string, unknown>> {
  const { outputFiles } = await build({
    stdin: { contents: needsSession ? `${givenSession}\n${code}` : code, loader: "ts", resolveDir: root },
    plugins: [published],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  const file = join(temporaryFolder(), "sample.mjs");
  writeFileSync(file, outputFiles[0]!.text);
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}

describe("the samples of README.md and docs/", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  let said: ReturnType<typeof complaints>;
  beforeAll(() => {
    said = complaints(samples);
  });

  it.each(samples.map((sample) => [sample.where, sample] as const))(
    "the sample at %s compiles against the published types",
    (_, sample) => {
      expect(said.get(sample)).toEqual([]);
    },
  );

  it("each sample of the README has somebody who uses it, but for React's and Vue's, whose bindings are used in test/frameworks", () => {
    expect(readme.map(({ heading }) => heading)).toEqual(Object.keys(recipes));
    expect(readme.filter(({ heading }) => !recipes[heading]).map(({ heading }) => heading)).toEqual(["React", "Vue"]);
  });

  const lines = ({ code }: Sample) => code.trim().split("\n").length;
  it("a recipe has at most 15 lines, and what shows an entry or a library in docs/ at most ten", () => {
    expect(readme.filter((sample) => lines(sample) > 15).map(({ where }) => where)).toEqual([]);
    expect(inDocs.filter((sample) => lines(sample) > 10).map(({ where }) => where)).toEqual([]);
  });

  it.each(
    readme.flatMap((sample) => {
      const recipe = recipes[sample.heading];
      return recipe ? [[sample.heading, sample, recipe] as const] : [];
    }),
  )("%s: the sample does what it is for", async (_, sample, recipe) => {
    const sessions: Session[] = [];
    const page = openPage(recipe.servers);
    vi.spyOn(console, "log").mockImplementation(() => {});
    vi.stubGlobal("sessions", sessions);
    vi.stubGlobal("session", undefined);
    vi.stubGlobal("tokenResponse", { access_token: recipe.accessToken ?? OLD, refresh_token: "r1", token_type: "Bearer", expires_in: 300 });
    try {
      await recipe.use({ exported: await execute(sample, recipe), sessions, page });
    } finally {
      for (const session of sessions) session.dispose();
    }
    expect(page.unknown).toEqual([]);
  });

  it.each(inDocs.flatMap((sample) => (sample.runnable ? [[sample.where, sample] as const] : [])))(
    "the sample at %s runs",
    async (_, sample) => {
      vi.stubGlobal("sessions", []);
      const { session } = (await execute(sample)) as { session?: Session };
      session?.dispose();
    },
  );

  it("a wrong sample is complained about, so silence means something", () => {
    const wrong = {
      where: "",
      heading: "",
      runnable: false,
      code: 'import { createSession } from "tokentide";\ncreateSession({ refesh: () => "token" });',
    };
    expect(complaints([wrong]).get(wrong)?.join()).toMatch(/line 2: .*refesh/);
  });
});
