import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { peers, root } from "./dist.js";

/** They are in no bundle of an app that does not import them. */
const otherClients = /node_modules\/(ky|axios)\//;

/** What an app pays for each import, minified for browsers of ES2022 and compressed with Brotli 11. 1 kB is 1000 bytes. */
const budgets = [
  {
    app: "createSession with an own refresh function",
    source: `import { createSession } from "tokentide"; globalThis.session = createSession({ name: "a", refresh: () => "token" });`,
    kilobytes: 22.5,
    inDocs: "`createSession` with your own refresh function",
    without: otherClients,
  },
  {
    app: "createSession with oauth2",
    source: `import { createSession, oauth2 } from "tokentide";
      globalThis.session = createSession({ refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }) });`,
    kilobytes: 24.2,
    inDocs: "`createSession` with `oauth2`",
    without: otherClients,
  },
  // Each way at most 0.6 kB more than `oauth2`.
  ...["tokenPair", "cookie", "sliding"].map((way) => ({
    app: `createSession with ${way}`,
    source: `import { createSession, ${way} } from "tokentide"; globalThis.session = createSession({ refresh: ${way}({ url: "/renew" }) });`,
    kilobytes: 24.4,
    inDocs: `\`createSession\` with \`${way}\``,
    without: otherClients,
  })),
  {
    app: "createSession with vault",
    source: `import { createSession, vault } from "tokentide";
      globalThis.session = createSession({ refresh: vault({ worker: "/vault-worker.js", tokenEndpoint: "/token", clientId: "spa" }) });`,
    kilobytes: 24,
    inDocs: "`createSession` with `vault`",
    without: otherClients,
  },
  {
    app: "the worker of vault, as it is served",
    source: `export * from "tokentide/vault-worker";`,
    kilobytes: 5.6,
    inDocs: "`tokentide/dist/vault-worker.js`",
    without: otherClients,
  },
  {
    app: "createSession with oauth2 and audiences",
    source: `import { audiences, createSession, oauth2 } from "tokentide";
      globalThis.session = createSession({ refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }), audiences: audiences({ "https://a.test": {} }) });`,
    kilobytes: 25.6,
    inDocs: "`createSession` with `oauth2` and `audiences`",
    without: otherClients,
  },
  {
    app: "createSession with oauth2 and an idle limit",
    source: `import { createSession, idleLimit, oauth2 } from "tokentide";
      globalThis.session = createSession({ refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }), idle: idleLimit({ after: 1 }) });`,
    kilobytes: 25.3,
    inDocs: "`createSession` with `oauth2` and `idleLimit`",
    without: otherClients,
  },
  // On top of the core and of the framework, which an app has anyway.
  ...[
    { entry: "react", kilobytes: 0.6 },
    { entry: "vue", kilobytes: 0.6 },
    { entry: "svelte", kilobytes: 0.2 },
    { entry: "solid", kilobytes: 0.3 },
    { entry: "angular", kilobytes: 1.02 },
    { entry: "axios", kilobytes: 1.42 },
    { entry: "ky", kilobytes: 0.2, external: ["ky"] },
    { entry: "devtools", kilobytes: 5.7 },
    // For tests: this only tells when something strays into it. What it shares with the core is in files of their own.
    { entry: "testing", kilobytes: 10.6, external: ["./chunk-*"] },
  ].map(({ entry, kilobytes, external = [] as string[] }) => ({
    app: `everything of tokentide/${entry}`,
    source: `export * from "tokentide/${entry}";`,
    kilobytes,
    inDocs: `\`tokentide/${entry}\``,
    without: /index|chunk|node_modules/,
    external,
  })),
];

async function bundle({ source, external = [] }: { source: string; external?: string[] }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: root },
    external: [...peers, ...external],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const code = outputFiles[0]!.contents;
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const compressed = brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return { kilobytes: compressed.length / 1000, modules: inputs.map(([path]) => path.replaceAll("\\", "/")) };
}

describe("R40 what an app pays", () => {
  it.each(budgets.map((budget) => [budget.app, budget.kilobytes, budget] as const))("%s: at most %s kB", async (app, kilobytes, budget) => {
    const result = await bundle(budget);
    const { without } = budget;
    console.log(`size: ${app}: ${result.kilobytes.toFixed(2)} kB of ${kilobytes} kB`);
    if (without) expect(result.modules.filter((path) => without.test(path))).toEqual([]);
    expect(result.kilobytes).toBeLessThanOrEqual(kilobytes);
  });

  it.each(budgets.map((budget) => [budget.inDocs, budget] as const))("docs/sizes.md says the truth about %s", async (words, budget) => {
    const row = readFileSync(join(root, "docs", "sizes.md"), "utf8")
      .split("\n")
      .find((line) => line.startsWith(`| ${words}`));
    const said = Number(/\| ([\d.]+) \|$/.exec(row ?? "")?.[1]);
    expect(Math.abs(said - (await bundle(budget)).kilobytes)).toBeLessThanOrEqual(0.2);
  });

  it.each([
    ["persist", "memory", "()"],
    ["maxAge", "maxAge", "(1)"],
    ["idle", "idleLimit", "({ after: 1 })"],
    ["cookieSignIn", "cookieSignIn", "()"],
    ["renewalHeader", "renewalHeader", '("x")'],
    ["audiences", "audiences", '({ "https://a.test": {} })'],
    ["dpop", "dpop", "()"],
  ])("the README says the truth about the option %s, by import", async (option, by, given) => {
    const [without, withOption] = await Promise.all(
      ["", `, ${option}: ${by}${given}`].map((further) =>
        bundle({
          source: `import { createSession${further && `, ${by}`} } from "tokentide";
            globalThis.session = createSession({ name: "a", refresh: () => "token"${further} });`,
        }),
      ),
    );
    const row = new RegExp(`^\\| \`${option}\` \\| \`${by}.* ([\\d.]+) kB \\|$`, "m");
    const said = Number(row.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1]);
    const costs = withOption!.kilobytes - without!.kilobytes;
    console.log(`size: ${option}: ${costs.toFixed(2)} kB`);
    expect(Math.abs(said - costs)).toBeLessThanOrEqual(0.15);
  });

  it("finds ky in a bundle that has it, so its absence elsewhere means something", async () => {
    const { modules } = await bundle({ source: `export * from "tokentide/ky";` });
    expect(modules.some((path) => otherClients.test(path))).toBe(true);
  });
});
